/** `npm start`: everything on this machine, until Ctrl-C or SIGTERM. See stack.ts. */
import { resolve } from 'node:path'
import type { Configuration } from '@hopcount/shared/configuration.ts'
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { shortSpoolPath } from './spool-alias.ts'
import type { StackOptions } from './stack.ts'
import { createStack } from './stack.ts'

const folder = resolve('.data')
let stopping = false
const complain = (line: string) => void process.stderr.write(`hopcount: ${line}\n`)

try {
  const environment = { ...process.env }
  // The banner shall be read: of the programs, only what went wrong.
  environment.LOG_LEVEL ||= 'warn'
  environment.SPOOL_DIR ||= shortSpoolPath(resolve(folder, 'spool'))
  const configuration = readStackConfiguration(environment)
  const stack = createStack({ configuration, environment, folder, complain })
  stopOnSignals(stack.stop, stack.hurry)
  try {
    const { address } = await stack.start()
    process.stdout.write(banner(configuration, address))
  } catch (error) {
    // A signal during the start makes it fail too, and its handler ends this process when all is stopped.
    if (!stopping) {
      complain(errorText(error))
      await stack.stop()
      process.exit(1)
    }
  }
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) complain(problem)
  process.exit(1)
}

/** Everything is checked before anything opens; only DATABASE_URL may be missing here, as the embedded one is not up yet. */
function readStackConfiguration(environment: NodeJS.ProcessEnv): StackOptions['configuration'] {
  const databaseUrl = environment.DATABASE_URL || undefined
  const configuration: Configuration = readConfiguration({
    ...environment,
    DATABASE_URL: databaseUrl ?? 'postgres://127.0.0.1/hopcount',
  })
  return { ...configuration, DATABASE_URL: databaseUrl }
}

/** The first signal stops everything in order, a second one at once; so does the end of the process that started this one. */
function stopOnSignals(stop: () => Promise<void>, hurry: () => void): void {
  const onSignal = () => {
    if (stopping) return hurry()
    stopping = true
    stop().then(
      () => process.exit(0),
      error => {
        complain(errorText(error))
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  process.once('disconnect', onSignal)
}

function banner(configuration: StackOptions['configuration'], address: string): string {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = configuration
  const lines = [
    ['', ''],
    ['Hopcount is ready', address],
    [
      'database',
      databaseUrl === undefined ? `embedded PostgreSQL, in ${folder}` : withoutCredentials(databaseUrl),
    ],
    ['queue', redisUrl === undefined ? 'in PostgreSQL (REDIS_URL is not set)' : withoutCredentials(redisUrl)],
    ['spool', configuration.SPOOL_DIR],
    ['stop', 'Ctrl-C'],
    ['', ''],
  ]
  return `${lines.map(([name = '', value]) => `${name.padEnd(19)}${value}`.trimEnd()).join('\n')}\n`
}

function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
