/**
 * `npm start`: everything on this machine, until Ctrl-C or SIGTERM (see stack.ts).
 * `npm run dev [-- --inspect]`: the same with `--watch`, which restarts what was changed and builds the page again.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration/configuration.ts'
import { misspelledSettings } from '@hopcount/shared/configuration/misspelled-settings.ts'
import { escapeControls } from '@hopcount/shared/escape-controls.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { outliveReaders } from '@hopcount/shared/outlive-readers.ts'
import { describeStart } from './describe-start.ts'
import { restartOnChanges } from './restart-on-changes.ts'
import { shortSpoolPath } from './spool-alias.ts'
import type { StackOptions } from './stack.ts'
import { createStack } from './stack.ts'

/** The promise is 15 s; what is still running then is left to the watchdog. */
const exitDeadlineMs = 14_500

const folder = resolve(process.env.DATA_DIR || '.data')
let stopping = false
outliveReaders()
const complain = (line: string) => void process.stderr.write(`hopcount: ${escapeControls(line)}\n`)

try {
  const { watch, inspect } = readArguments()
  const environment = { ...process.env }
  // Of the programs only what went wrong, so that the lines about the start can be read; a developer sees more.
  environment.LOG_LEVEL ||= watch ? 'info' : 'warn'
  // Here everything shares one machine.
  environment.RECORDING_NICE ||= '5'
  environment.SPOOL_DIR ||= shortSpoolPath(resolve(folder, 'spool'))
  const configuration = readStackConfiguration(environment)
  for (const { name, warning } of misspelledSettings(environment)) {
    complain(warning)
    // It has no effect, and API and worker would each say so again.
    delete environment[name]
  }
  const stack = createStack({ configuration, environment, folder, inspect, complain })
  stopOnSignals(stack.stop, stack.hurry)
  try {
    const { address } = await stack.start()
    if (watch) restartOnChanges(stack, complain)
    process.stdout.write(describeStart({ configuration, folder, address, watch, inspect }))
  } catch (error) {
    // A signal during the start makes it fail too, and its handler ends this process when everything has stopped.
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

function readArguments(): { watch: boolean; inspect: boolean } {
  const { values } = parseArgs({
    options: {
      watch: { type: 'boolean', default: false },
      inspect: { type: 'boolean', default: false },
    },
  })
  return values
}

/** Everything is checked before anything opens. Only DATABASE_URL may be missing here: the embedded one is not up yet. */
function readStackConfiguration(environment: NodeJS.ProcessEnv): StackOptions['configuration'] {
  const databaseUrl = environment.DATABASE_URL || undefined
  const configuration: Configuration = readConfiguration(
    { ...environment, DATABASE_URL: databaseUrl ?? 'postgres://127.0.0.1/hopcount' },
    { servesApi: true, servesWorker: true },
  )
  if (databaseUrl === undefined && configuration.DIRECT_DATABASE_URL !== undefined)
    throw new Error('DIRECT_DATABASE_URL is set, but DATABASE_URL is not')
  return { ...configuration, DATABASE_URL: databaseUrl }
}

/** The first signal, or the end of the process that started this one, stops everything in order; a second signal hurries. */
function stopOnSignals(stop: () => Promise<void>, hurry: () => void): void {
  const onSignal = () => {
    if (stopping) return hurry()
    stopping = true
    setTimeout(() => {
      complain('not everything stopped in time; what is left is ended in the background')
      hurry()
      process.exit(1)
    }, exitDeadlineMs)
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
