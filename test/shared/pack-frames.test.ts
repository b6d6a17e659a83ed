import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packFrames, unpackFrames } from '../../apps/shared/visits/pack-frames.ts'
import { readQueueKey } from '../../apps/shared/visits/queue-key.ts'
import { encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const key = randomBytes(32)
const frames = encodeFrame(
  Array.from({ length: 100 }, (_, i) => ({
    linkId: i,
    referrer: 'https://news.test/',
    userAgent: 'agent',
    address: '203.0.113.77',
  })),
  Date.now(),
  new Map(),
)

test('frames come out as they went in, sealed or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 2_000 }), fc.boolean(), (bytes, sealed) => {
      const own = sealed ? key : undefined
      expect(unpackFrames(packFrames(Buffer.from(bytes), own), own)).toEqual(Buffer.from(bytes))
    }),
  )
})

test('the same frames are packed the same: a batch that the queue holds can be compared', () => {
  expect(packFrames(frames, key)).toBe(packFrames(frames, key))
  expect(packFrames(frames, key)).not.toBe(packFrames(frames, randomBytes(32)))
})

test('what is sealed shows no address, and opens with its own key only', () => {
  const sealed = packFrames(frames, key)
  expect(Buffer.from(sealed, 'base64').includes('203.0.113.77')).toBe(false)
  expect(unpackFrames(sealed, randomBytes(32))).toBeUndefined()
  expect(unpackFrames(sealed)).toBeUndefined()
})

test('a packed batch that was changed on its way is not taken for another one', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const bytes = Buffer.from(packFrames(frames, key), 'base64')
      const at = place % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ change
      const opened = unpackFrames(bytes.toString('base64'), key)
      expect(opened?.equals(frames) ?? false).toBe(false)
    }),
  )
})

test('frames as the release before sent them are read', () => {
  expect(unpackFrames(frames.toString('base64'), key)).toEqual(frames)
})

test('a small job that grows beyond any batch is refused', () => {
  expect(unpackFrames(packFrames(Buffer.alloc(80 * 1024 * 1024)))).toBeUndefined()
})

test('the key is made once, for its owner alone, and refused when it is none', () => {
  const folder = join(temporaryFolder(), 'spool')
  const made = readQueueKey(folder)
  expect(readQueueKey(folder)).toEqual(made)
  expect(statSync(join(folder, 'queue.key')).mode & 0o077).toBe(0)
  expect(readdirSync(folder)).toEqual(['queue.key'])
  const other = temporaryFolder()
  writeFileSync(join(other, 'queue.key'), 'short')
  expect(() => readQueueKey(other)).toThrow('is no key of 32 bytes')
  expect(existsSync(join(other, 'queue.key'))).toBe(true)
})
