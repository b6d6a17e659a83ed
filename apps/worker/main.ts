import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import { errorText, openLog } from '@hopcount/shared/log.ts'
import closeWithGrace from 'close-with-grace'
import { startWorker } from './worker.ts'

try {
  const configuration = readConfiguration(process.env)
  const log = openLog({ name: 'worker', level: configuration.LOG_LEVEL })
  const worker = await startWorker(configuration, log)
  log.info({ metricsPort: worker.metricsPort }, 'recording visits')
  const closing = closeWithGrace({ delay: 14_000, logger: false }, async ({ err, signal }) => {
    if (err) log.fatal({ reason: errorText(err), stack: err.stack }, 'stopping after an unexpected error')
    else log.info({ signal }, 'stopping')
    await worker.stop()
    log.info('stopped')
  })
  // Started by `npm start`: its end, even by kill -9, closes this channel.
  process.once('disconnect', () => void closing.close())
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount worker: ${problem}\n`)
  process.exit(1)
}
