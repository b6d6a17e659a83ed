/** For `node --import`: SIGWINCH makes this process open files until it can open no more, a second one closes them again. */
import { closeSync, openSync } from 'node:fs'

const taken: number[] = []

process.on('SIGWINCH', () => {
  if (taken.length > 0) {
    for (const file of taken.splice(0)) closeSync(file)
    return
  }
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {}
})
