/** The life of an API or worker process: read the configuration, start, go on until told to stop, close within a deadline. */
import closeWithGrace from 'close-with-grace'
import type { Configuration } from './configuration.ts'
import { ConfigurationProblems, readConfiguration } from './configuration.ts'
import type { Log } from './log.ts'
import { errorText, openLog } from './log.ts'

export interface Start {
  configuration: Configuration
  log: Log
  /** Ends the process with one line for the operator and exit code 1. */
  fail: (error: unknown) => never
}

/**
 * `start` resolves, when the process serves, with what closes it again. It stops at SIGTERM, SIGINT, an unexpected error
 * (exit code 1), and when the process that started it with an IPC channel ends, even by kill -9.
 */
export async function runProcess(
  name: string,
  options: { closeWithinMs: number },
  start: (start: Start) => Promise<() => Promise<void>>,
): Promise<void> {
  function fail(error: unknown): never {
    const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
    for (const problem of problems) process.stderr.write(`hopcount ${name}: ${problem}\n`)
    process.exit(1)
  }
  try {
    const configuration = readConfiguration(process.env)
    const log = openLog({ name, level: configuration.LOG_LEVEL })
    const close = await start({ configuration, log, fail })
    const closing = closeWithGrace(
      {
        delay: options.closeWithinMs,
        logger: false,
        // Whoever listens to SIGHUP by now means something else by it than stopping.
        skip: process.listenerCount('SIGHUP') > 0 ? ['SIGHUP'] : [],
      },
      async ({ err, signal }) => {
        if (err) log.fatal({ reason: errorText(err), stack: err.stack }, 'stopping after an unexpected error')
        else log.info({ signal }, 'stopping')
        await close()
        log.info('stopped')
      },
    )
    process.once('disconnect', () => closing.close())
    // It may have gone while we started. Undefined: there never was a channel.
    if (process.connected === false) closing.close()
  } catch (error) {
    fail(error)
  }
}
