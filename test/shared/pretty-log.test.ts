import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { escapeControls } from '../../apps/shared/escape-controls.ts'
import { root } from '../support/processes.ts'

const log = join(root, 'apps/shared/log.ts')
const clearScreen = '\u001b[2J'
const controlSequence = '\u009b2J'
const colour = /\p{Cc}\[\d+m/gu

/** A program that logs hostile text in every place where text from outside may get to. */
function program(format: string): string {
  const hostile = JSON.stringify(`${clearScreen}${controlSequence}\u0007\u007f`)
  return `import { openLog } from ${JSON.stringify(log)}
    const log = openLog({ name: 'test', level: 'info', format: ${format} })
    log.info({ slug: ${hostile}, nested: [{ [${hostile}]: ${hostile} }] }, 'seen ' + ${hostile})
    log.error({ err: new Error(${hostile}), stack: ${hostile} }, 'failed')`
}

async function run(format: string): Promise<string> {
  const args = ['--input-type=module', '--eval', program(format)]
  return (await promisify(execFile)(process.execPath, args)).stdout
}

/** True if the `script` of util-linux is there, which runs a command on a terminal. */
const hasTerminal =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

async function runOnTerminal(environment: Record<string, string>): Promise<string> {
  const command = `${process.execPath} --input-type=module --eval "$PROGRAM"`
  const options = { env: { ...process.env, PROGRAM: program('undefined'), ...environment } }
  return (await promisify(execFile)('script', ['--quiet', '--command', command, '/dev/null'], options)).stdout
}

describe('log lines', () => {
  it('are JSON where standard output is not a terminal', async () => {
    const lines = (await run('undefined')).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).msg)).toEqual([
      `seen ${clearScreen}${controlSequence}\u0007\u007f`,
      'failed',
    ])
  })

  it('in the pretty format carry no control character from outside to the terminal', async () => {
    const output = await run("'pretty'")
    expect(output).toContain('seen \\u001b[2J\\u009b2J\\u0007\\u007f')
    expect(output.replace(/[\t\n]/g, '')).not.toMatch(/\p{Cc}/u)
  })

  it.skipIf(!hasTerminal)('are pretty and coloured on a terminal, with colours of ours only', async () => {
    const output = await runOnTerminal({ NO_COLOR: '', FORCE_COLOR: '1' })
    expect(output).toContain('\\u001b[2J\\u009b2J')
    expect(output).toMatch(new RegExp(`${colour.source}INFO`, 'u'))
    expect(output.replace(colour, '').replace(/[\t\r\n]/g, '')).not.toMatch(/\p{Cc}/u)
  })

  it('escape what a terminal may take for a command, and nothing else', () => {
    expect(escapeControls('a\tb\n')).toBe('a\tb\n')
    expect(escapeControls('é – 😀')).toBe('é – 😀')
    expect(escapeControls('\u0000\r\u001b\u007f\u0080\u009f')).toBe(
      '\\u0000\\u000d\\u001b\\u007f\\u0080\\u009f',
    )
  })
})
