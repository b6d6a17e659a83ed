import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startLoad } from '../../support/checker.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const apiFrozen: Row = {
  number: 3,
  title: 'API stopped by SIGSTOP for 60 s: nobody adopts its open segment',
  async round(system, context) {
    const { spoolDir } = system
    const sibling = system.api()
    const foldersBefore = new Set(readdirSync(spoolDir))
    const frozen = await system.startApi()
    const folder = readdirSync(spoolDir).find(name => !foldersBefore.has(name)) ?? ''
    const failures: string[] = []
    let open: string | undefined
    // The sibling continues under its own load, and looks for folders to adopt every few seconds.
    const siblingLoad = startLoad({
      origin: () => sibling.origin,
      slugs: system.slugs,
      connections: 2,
      pauseMs: 20,
    })
    const result = await strikeUnderLoad(system, context, {
      load: { origin: () => frozen.origin },
      async strike() {
        for (let attempt = 0; attempt < 200; attempt++) {
          frozen.process.kill('SIGSTOP')
          await sleep(50)
          open = openSegment(join(spoolDir, folder))
          if (open !== undefined) return
          frozen.process.kill('SIGCONT')
          await sleep(context.random.between(5, 60))
        }
        throw new Error('no moment with an open segment was found')
      },
      async lasts() {
        await sleep(context.full ? 60_000 : 12_000)
        if (open === undefined || !existsSync(open))
          failures.push(`the open segment of the stopped process is gone`)
      },
      heal: () => frozen.process.kill('SIGCONT'),
      promises: { drainedWithinMs: 60_000 },
    })
    await siblingLoad.stop()
    result.failures.push(...failures)
    if (system.processes.some(({ output }) => /adopted the spool/.test(output())))
      result.failures.push('the spool of a living process was adopted')
    await frozen.process.stop()
    system.apis.pop()
    return result
  },
}

/** The path of an open segment with visits in it. */
function openSegment(folder: string): string | undefined {
  return readdirSync(folder)
    .filter(name => name.endsWith('.open'))
    .map(name => join(folder, name))
    .find(path => statSync(path).size > 0)
}
