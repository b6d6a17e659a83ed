import cluster from 'node:cluster'
import { runProcess } from '@hopcount/shared/run-process.ts'
import { buildApp } from './app.ts'
import { superviseProcesses } from './supervise-processes.ts'

await runProcess(
  'api',
  { closeWithinMs: cluster.isPrimary ? 9_500 : 9_000, servesApi: true },
  async ({ configuration, log }) => {
    if (configuration.WEB_CONCURRENCY > 1 && cluster.isPrimary) {
      const supervisor = await superviseProcesses(configuration.WEB_CONCURRENCY, log)
      return supervisor.stop
    }
    const app = await buildApp(configuration, log)
    await app.listen()
    return () => app.close()
  },
)
