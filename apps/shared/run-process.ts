/** The life of an API or worker process: read the configuration, start, run until told to stop, close within a deadline. */
import cluster from 'node:cluster'
import { setTimeout } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { Configuration } from './configuration/configuration.ts'
import { readConfiguration } from './configuration/configuration.ts'
import { misspelledSettings } from './configuration/misspelled-settings.ts'
import type { Log } from './log.ts'
import { errorText, openLog } from './log.ts'
import { outliveReaders } from './outlive-readers.ts'
import { exitWithProblems } from './run-command.ts'

export interface Start {
  configuration: Configuration
  log: Log
  /** Ends the process with one line for the operator and exit code 1. */
  fail: (error: unknown) => never
}

/** How long a signal waits for a start that is nearly done. */
const startPatienceMs = 1_000

/**
 * `start` resolves once the process is serving, with the function that closes it again. The process stops on SIGTERM,
 * SIGINT and unexpected errors (exit code 1), and when a parent that started it with an IPC channel ends, even by kill -9.
 * SIGHUP stops it only on a terminal, which has been closed then.
 */
export async function runProcess(
  name: string,
  options: { closeWithinMs: number; servesApi?: boolean },
  start: (start: Start) => Promise<() => Promise<void>>,
): Promise<void> {
  outliveReaders()
  const fail = (error: unknown) => exitWithProblems(name, error)
  try {
    const configuration = readConfiguration(process.env, options)
    const log = openLog({ name, level: configuration.LOG_LEVEL, format: configuration.LOG_FORMAT })
    if (cluster.isPrimary) for (const { warning } of misspelledSettings(process.env)) log.warn(warning)
    // Before the start: a signal that arrives while the first request is already answered must stop in order, too.
    const started = start({ configuration, log, fail })
    const closing = closeWithGrace(
      { delay: options.closeWithinMs, logger: false, skip: ['SIGHUP'] },
      async ({ err, signal }) => {
        if (err) log.fatal({ reason: errorText(err), stack: err.stack }, 'stopping after an unexpected error')
        else log.info({ signal }, 'stopping')
        // A start that takes longer waits for the database and has answered nothing yet.
        const close = await Promise.race([started, setTimeout(startPatienceMs, undefined, { ref: false })])
        await close?.()
        log.info('stopped')
      },
    )
    process.on('SIGHUP', () => {
      // Where WEB_CONCURRENCY is above 1 the supervisor has a listener of its own.
      if (process.listenerCount('SIGHUP') > 1) return
      if (isOnTerminal()) closing.close()
      else log.info('SIGHUP is ignored: only an API with WEB_CONCURRENCY above 1 acts on it')
    })
    process.once('disconnect', () => closing.close())
    // The parent may have ended during the start. Undefined: there never was a channel.
    if (process.connected === false) closing.close()
    await started
  } catch (error) {
    fail(error)
  }
}

/** With `nohup`, and as a service or in a container, nothing is a terminal. */
function isOnTerminal(): boolean {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
}
