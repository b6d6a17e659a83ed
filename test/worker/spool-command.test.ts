import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const script = fileURLToPath(new URL('../../apps/worker/spool-command.ts', import.meta.url))
const frames = () => {
  const texts = new Map<string, number>()
  const visit = { referrer: 'https://r.test/', userAgent: 'Tester/1', language: 'de', address: '192.0.2.7' }
  return [7, 8].map((linkId, i) => encodeFrame([{ linkId, ...visit }], 1_700_000_000_000 + i, texts))
}

function printed(bytes: Buffer) {
  const file = join(temporaryFolder(), '000000000001.sealed')
  writeFileSync(file, bytes)
  const { status, stdout } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' })
  expect(readFileSync(file)).toEqual(bytes)
  const lines = stdout.trimEnd().split('\n')
  return { status, visits: lines.slice(0, -1).map(line => JSON.parse(line)), summary: lines.at(-1) }
}

test('a segment’s visits are printed without addresses', () => {
  const { status, visits, summary } = printed(Buffer.concat(frames()))
  expect(status).toBe(0)
  const texts = { referrer: 'https://r.test/', userAgent: 'Tester/1', language: 'de' }
  expect(visits).toEqual([
    { linkId: 7, visitedAt: '2023-11-14T22:13:20.000Z', ...texts },
    { linkId: 8, visitedAt: '2023-11-14T22:13:20.001Z', ...texts },
  ])
  expect(summary).toContain('2 visits, sound, 0 bytes of an unfinished write')
})

test('a reader that has seen enough is no error', () => {
  const file = join(temporaryFolder(), '000000000001.sealed')
  // More than a pipe holds.
  writeFileSync(file, Buffer.concat(Array.from({ length: 2_000 }, frames).flat()))
  const read = spawnSync(
    'bash',
    ['-c', 'set -o pipefail; "$0" "$1" "$2" | head -n 1', process.execPath, script, file],
    { encoding: 'utf8' },
  )
  expect(read).toMatchObject({ status: 0, stderr: '' })
  expect(JSON.parse(read.stdout)).toMatchObject({ linkId: 7 })
})

test('a damaged segment is reported, and its sound visits are printed', () => {
  const [first = Buffer.of(), second = Buffer.of()] = frames()
  const damaged = Buffer.from(first)
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  const { status, visits, summary } = printed(Buffer.concat([damaged, second]))
  expect(status).toBe(1)
  expect(visits.map(visit => visit.linkId)).toEqual([8])
  expect(summary).toContain(`1 visits, damaged (${damaged.length} bytes at 0)`)
})

test('an unfinished write is distinguished from damage', () => {
  const [first = Buffer.of(), second = Buffer.of()] = frames()
  const { status, visits, summary } = printed(Buffer.concat([first, second.subarray(0, 15)]))
  expect(status).toBe(0)
  expect(visits.map(visit => visit.linkId)).toEqual([7])
  expect(summary).toContain('1 visits, sound, 15 bytes of an unfinished write')
})
