/**
 * For `node --import`, in the processes of a soak test: runs a full garbage collection (5–20 ms) every 2 s and writes the
 * memory retained after it, in bytes, to the file MEMORY_FOLDER/<process id>. Resident memory varies by tens of megabytes
 * with the collector's timing; retained memory varies by a few hundred kilobytes, so a leak shows within minutes.
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
