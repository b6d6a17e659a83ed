/**
 * For `node --import`, in the processes of a soak: every 2 s a whole garbage collection (5–20 ms), and what is left then,
 * in bytes, goes to the file MEMORY_FOLDER/<process id>. Resident memory moves by tens of megabytes with the mood of the
 * collector; what is left after a collection moves by some hundred kilobytes, so that a leak shows within minutes.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const everyMs = 2_000
const file = join(process.env.MEMORY_FOLDER ?? '', String(process.pid))

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

setInterval(() => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  writeFileSync(`${file}.new`, String(heapUsed + external))
  renameSync(`${file}.new`, file)
}, everyMs).unref()
