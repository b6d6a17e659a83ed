/** Log lines for people: pino-pretty, with everything escaped that could reach into the terminal. */
import { writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'
import pinoPretty from 'pino-pretty'
import { escapeControls } from './escape-controls.ts'

const standardOutput = 1

/** Synchronous, so that the last lines before an exit are written. */
export function prettyDestination(options: { colorize: boolean }): DestinationStream {
  const prettify = pinoPretty.prettyFactory({
    colorize: options.colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    singleLine: true,
  })
  return {
    write(line) {
      writeAll(prettify(escaped(JSON.parse(line))))
    },
  }
}

function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapeControls(value)
  if (Array.isArray(value)) return value.map(escaped)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [escapeControls(name), escaped(field)]),
  )
}

function writeAll(text: string | undefined): void {
  let rest = Buffer.from(text ?? '')
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(standardOutput, rest))
    } catch (error) {
      // A pipe that is full for the moment. Any other failure, such as a closed terminal, must not stop the program.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return
    }
  }
}
