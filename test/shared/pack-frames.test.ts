import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packFrames, unpackFrames } from '../../apps/shared/visits/pack-frames.ts'
import { encodeFrame } from '../../apps/shared/visits/visit-batch.ts'

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

test('frames are unpacked as they were packed, encrypted or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 2_000 }), fc.boolean(), (bytes, encrypted) => {
      const own = encrypted ? key : undefined
      expect(unpackFrames(packFrames(Buffer.from(bytes), own), own)).toEqual(Buffer.from(bytes))
    }),
  )
})

test('equal frames are packed into equal text, so that a batch can be compared with what the queue holds', () => {
  expect(packFrames(frames, key)).toBe(packFrames(frames, key))
  expect(packFrames(frames, key)).not.toBe(packFrames(frames, randomBytes(32)))
})

test('encrypted frames show no address, and only their own key opens them', () => {
  const encrypted = packFrames(frames, key)
  expect(Buffer.from(encrypted, 'base64').includes('203.0.113.77')).toBe(false)
  expect(unpackFrames(encrypted, randomBytes(32))).toBeUndefined()
  expect(unpackFrames(encrypted)).toBeUndefined()
})

test('a packed batch that was changed in transit is never taken for the original', () => {
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

test('frames that the previous release sent are read', () => {
  expect(unpackFrames(frames.toString('base64'), key)).toEqual(frames)
})

test('a small job that would expand beyond the size of any batch is refused', () => {
  expect(unpackFrames(packFrames(Buffer.alloc(80 * 1024 * 1024)))).toBeUndefined()
})
