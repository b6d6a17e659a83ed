/** What the gate's scripts promise: its last line, its exit code, and that nothing is passed over in silence. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = join(import.meta.dirname, '../..')

function bash(script: string, env: Record<string, string> = {}) {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  return { lines: stdout.trimEnd().split('\n'), stderr, status }
}

describe('the summary', () => {
  const steps = `. .ci/steps; works() { return 0; }; fails() { return 1; }; cannot() { why='there is no engine'; return 3; }`

  test('ends with the counts alone on a line, and names what was not run before it', () => {
    const { lines, status } = bash(`${steps}; step one works; step two cannot; step three works; summarize`)
    expect(lines.at(-1)).toBe('2 passed, 0 failed')
    expect(lines.at(-2)).toBe('not run: two: there is no engine')
    expect(status).toBe(0)
  })

  test('fails where a step has failed', () => {
    const { lines, status } = bash(`${steps}; step one works; step two fails; summarize`)
    expect(lines.at(-1)).toBe('1 passed, 1 failed')
    expect(status).toBe(1)
  })
})

describe('the container engine', () => {
  /** No docker on the PATH, and a script that brings one up. */
  function withoutEngine() {
    const folder = temporaryFolder()
    const log = join(folder, 'log')
    const setup = join(folder, 'engine.sh')
    const tools = join(folder, 'bin')
    mkdirSync(tools)
    writeFileSync(join(tools, 'docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    writeFileSync(join(tools, 'id'), '#!/bin/sh\necho 0\n', { mode: 0o755 })
    writeFileSync(setup, `echo "\${1:-up}" >> ${log}\n`)
    const engine = join(folder, 'engine')
    const env = { PATH: `${tools}:${process.env.PATH}`, W: engine, CONTAINER_ENGINE_SETUP: setup }
    return { env, engine, calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) }
  }

  test('is brought up by the script that is offered, and removed again', () => {
    const { env, calls } = withoutEngine()
    expect(bash('.ci/compose up', env).status).toBe(0)
    expect(bash('.ci/compose down && .ci/compose down', env).status).toBe(0)
    expect(calls()).toEqual(['up', 'down'])
  })

  test('is missing where none runs and no script is offered', () => {
    const { env, calls } = withoutEngine()
    const { lines, status } = bash('.ci/compose up', { ...env, CONTAINER_ENGINE_SETUP: '' })
    expect(status).toBe(1)
    expect(lines.join()).toContain('no container engine runs')
    expect(calls()).toEqual([])
  })

  test('that runs already is neither brought up nor removed', () => {
    const { env, calls } = withoutEngine()
    const running = 'docker() { return 0; }; export -f docker'
    expect(bash(`${running}; .ci/compose up && .ci/compose down`, env).status).toBe(0)
    expect(calls()).toEqual([])
  })
})
