import { setFlagsFromString } from 'node:v8'
import { runProcess } from '@hopcount/shared/run-process.ts'
import { startWorker } from './worker.ts'

// V8 collects the old generation when it has grown by 70 %, and gives freed pages back after a second: see
// apps/decisions/0007-memory-limits.md.
setFlagsFromString('--heap-growing-percent=70')
setFlagsFromString('--memory-pool-timeout=1')

await runProcess('worker', { closeWithinMs: 14_000 }, async ({ configuration, log }) => {
  const worker = await startWorker(configuration, log)
  log.info({ metricsPort: worker.metricsPort }, 'recording visits')
  return worker.stop
})
