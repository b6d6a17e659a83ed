import closeWithGrace from 'close-with-grace'
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import { errorText, openLog } from '@hopcount/shared/log.ts'
import { buildApp } from './app.ts'

try {
  const configuration = readConfiguration(process.env)
  const log = openLog({ name: 'api', level: configuration.LOG_LEVEL })
  const app = await buildApp(configuration, log)
  const closing = closeWithGrace({ delay: 9_000, logger: false }, async ({ err, signal }) => {
    if (err) log.fatal({ reason: errorText(err), stack: err.stack }, 'stopping after an unexpected error')
    else log.info({ signal }, 'stopping')
    await app.close()
    log.info('stopped')
  })
  // Started by `npm start`: its end, even by kill -9, closes this channel.
  process.once('disconnect', () => void closing.close())
  await app.listen({ host: configuration.HOST, port: configuration.PORT })
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount api: ${problem}\n`)
  process.exit(1)
}
