import { runProcess } from '@hopcount/shared/run-process.ts'
import { startWorker } from './worker.ts'

await runProcess('worker', { closeWithinMs: 14_000 }, async ({ configuration, log, fail }) => {
  const worker = await startWorker(configuration, log, fail)
  log.info({ metricsPort: worker.metricsPort }, 'recording visits')
  return worker.stop
})
