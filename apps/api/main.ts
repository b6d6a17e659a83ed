import cluster from 'node:cluster'
import type { Configuration } from '@hopcount/shared/configuration.ts'
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText, openLog } from '@hopcount/shared/log.ts'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { superviseProcesses } from './supervise-processes.ts'

try {
  const configuration = readConfiguration(process.env)
  const log = openLog({ name: 'api', level: configuration.LOG_LEVEL })
  const supervises = configuration.WEB_CONCURRENCY > 1 && cluster.isPrimary
  const stop = supervises
    ? (await superviseProcesses(configuration.WEB_CONCURRENCY, log)).stop
    : await serve(configuration, log)
  const closing = closeWithGrace(
    { delay: supervises ? 12_000 : 9_000, logger: false },
    async ({ err, signal }) => {
      if (err) log.fatal({ reason: errorText(err), stack: err.stack }, 'stopping after an unexpected error')
      else log.info({ signal }, 'stopping')
      await stop()
      log.info('stopped')
    },
  )
  // Started by `npm start`: its end, even by kill -9, closes this channel.
  process.once('disconnect', () => void closing.close())
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount api: ${problem}\n`)
  process.exit(1)
}

async function serve(configuration: Configuration, log: Log): Promise<() => Promise<void>> {
  const app = await buildApp(configuration, log)
  await app.listen({ host: configuration.HOST, port: configuration.PORT })
  return () => app.close()
}
