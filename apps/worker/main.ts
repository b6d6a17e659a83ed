import { setFlagsFromString } from 'node:v8'
import { runProcess } from '@hopcount/shared/run-process.ts'
import { startWorker } from './worker.ts'

// V8 collects the old generation when it has grown by a fifth: see apps/README.md. Set here, since NODE_OPTIONS refuses it.
setFlagsFromString('--heap-growing-percent=20')
await runProcess('worker', { closeWithinMs: 14_000 }, async ({ configuration, log, fail }) => {
  const worker = await startWorker(configuration, log, fail)
  log.info({ metricsPort: worker.metricsPort }, 'recording visits')
  return worker.stop
})
