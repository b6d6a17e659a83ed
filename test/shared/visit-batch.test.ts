import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBatch, soundFrames } from '../../apps/shared/visits/decode-batch.ts'
import type { Visit } from '../../apps/shared/visits/visit-batch.ts'
import { encodeFrame, parseVisitJob } from '../../apps/shared/visits/visit-batch.ts'

const at = Date.UTC(2026, 10, 22, 12)

function visit(linkId: number, referrer?: string, userAgent?: string): Visit {
  return { linkId, referrer, userAgent }
}

function threeFrames(): Buffer[] {
  const texts = new Map<string, number>()
  return [
    encodeFrame([visit(1, 'http://a.test/', 'ua')], at, texts),
    encodeFrame([visit(2, 'http://b.test/', 'ua'), visit(3)], at + 1, texts),
    encodeFrame([visit(4, 'http://a.test/', 'ua')], at + 2, texts),
  ]
}

test('visits are decoded as they were encoded', () => {
  const text = fc.option(
    fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 300 }).filter(t => !t.includes('\0')),
    {
      nil: undefined,
    },
  )
  const language = fc.constantFrom(undefined, 'de-CH', 'en')
  const address = fc.option(fc.oneof(fc.ipV4(), fc.ipV6()), { nil: undefined })
  const visits = fc.array(
    fc.record({ linkId: fc.maxSafeNat(), referrer: text, userAgent: text, language, address }),
    { minLength: 1, maxLength: 50 },
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(visits, fc.nat(2 ** 40)), { minLength: 1, maxLength: 5 }), frames => {
      const texts = new Map<string, number>()
      const bytes = Buffer.concat(frames.map(([group, time]) => encodeFrame(group, time, texts)))
      const decoded = decodeBatch(bytes)
      expect(decoded.damaged).toEqual([])
      expect(decoded.tornBytes).toBe(0)
      expect(decoded.visits).toEqual(
        frames.flatMap(([group, visitedAt]) => group.map(v => ({ ...v, visitedAt }))),
      )
    }),
  )
})

test.each([
  ['de-CH, de;q=0.9, en;q=0.8', 'de-CH'],
  ['de', 'de'],
  ['en;q=1', 'en'],
  ['en;q=0.5, es', 'es'],
  ['en;q=0.5,es;q=0.9,de;q=0.9', 'es'],
  ['en;q=.5, es;q=.75', 'es'],
  ['en;Q=0.5, es', 'es'],
  ['en ; q=0.5, es ; q=0.6', 'es'],
  ['en;q=0, fr;q=0.1', 'fr'],
  ['en;q=high, fr;q=0.1', 'fr'],
  ['*, fr;q=0.5', 'fr'],
  ['*;q=0.1, fr;q=0.05', 'fr'],
  [', ,pt-BR', 'pt-br'],
  [' it', 'it'],
  ['en;q=0', undefined],
  ['*', undefined],
  ['*;q=0.5', undefined],
  ['', undefined],
  ['x'.repeat(500), 'x'.repeat(35)],
  [`en;q=0.5,${'x'.repeat(100)}`, 'x'.repeat(35)],
])('of the accepted languages %j, %j is kept', (language, kept) => {
  const decoded = decodeBatch(encodeFrame([{ ...visit(1), language }], at, new Map()))
  expect(decoded.visits.map(v => v.language)).toEqual([kept])
})

test('frames of the previous release, without address and language, are read', () => {
  // Written by that release: two visits, a referrer and a user agent.
  const old = Buffer.from(
    'c148230000008ecea92300a22003a2010202010e687474703a2f2f612e746573742f02027561010102ac020002',
    'hex',
  )
  const decoded = decodeBatch(Buffer.concat([old, encodeFrame([visit(9)], at, new Map())]))
  expect(decoded.damaged).toEqual([])
  expect(decoded.visits.map(v => [v.linkId, v.referrer, v.userAgent, v.address])).toEqual([
    [1, 'http://a.test/', 'ua', undefined],
    [300, undefined, 'ua', undefined],
    [9, undefined, undefined, undefined],
  ])
})

test('a visit with known texts takes less than ten bytes of a frame', () => {
  const texts = new Map<string, number>()
  const userAgent = 'x'.repeat(120)
  const many = Array.from({ length: 1_000 }, (_, i) => visit(i, 'https://news.test/item', userAgent))
  encodeFrame(many.slice(0, 1), at, texts)
  expect(encodeFrame(many, at, texts).length).toBeLessThan(10_000)
})

test('a text is the bytes that the client sent, read as UTF-8', () => {
  // The HTTP parser returns one character per byte.
  const asParsed = Buffer.from('https://bücher.test/').toString('latin1')
  const decoded = decodeBatch(encodeFrame([visit(1, asParsed)], at, new Map()))
  expect(decoded.visits[0]?.referrer).toBe('https://bücher.test/')
})

test('referrers are cut to 2,048 characters, user agents to 512', () => {
  const decoded = decodeBatch(encodeFrame([visit(1, 'r'.repeat(9_000), 'u'.repeat(9_000))], at, new Map()))
  expect(decoded.visits[0]?.referrer).toHaveLength(2_048)
  expect(decoded.visits[0]?.userAgent).toHaveLength(512)
})

test('a visit with a text that PostgreSQL can not store is counted, without that text', () => {
  const decoded = decodeBatch(
    encodeFrame([visit(1, 'a\0b', 'ua'), visit(2, '\xff\xfe', 'ua')], at, new Map()),
  )
  expect(decoded.visits[0]).toMatchObject({ linkId: 1, referrer: undefined, userAgent: 'ua' })
  expect(decoded.visits[1]?.referrer?.isWellFormed()).toBe(true)
})

test('a batch truncated anywhere loses only the visits of the write that never returned', () => {
  const frames = threeFrames()
  const bytes = Buffer.concat(frames)
  const ends = frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length)
  const visitsAt = [1, 3, 4]
  for (let length = 0; length <= bytes.length; length++) {
    const decoded = decodeBatch(bytes.subarray(0, length))
    const whole = ends.filter(end => end <= length).length
    expect(decoded.visits).toHaveLength(visitsAt[whole - 1] ?? 0)
    expect(decoded.damaged).toEqual([])
    expect(decoded.tornBytes).toBe(length - (ends[whole - 1] ?? 0))
  }
})

test('a flipped bit is detected wherever it is, and the visits of the other writes are kept', () => {
  const frames = threeFrames()
  const bytes = Buffer.concat(frames)
  const afterFirst = frames[0]?.length ?? 0
  const afterSecond = afterFirst + (frames[1]?.length ?? 0)
  for (let at = afterFirst; at < afterSecond; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
      const { visits, damaged } = decodeBatch(flipped)
      expect(visits.map(v => v.linkId)).toEqual([1, 4])
      expect(damaged).toEqual([{ offset: afterFirst, length: afterSecond - afterFirst }])
      expect(decodeBatch(soundFrames(flipped).frames).visits).toEqual(visits)
    }
  }
})

test('arbitrary bytes are decoded without an error, and equal bytes give equal results', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), noise => {
      const bytes = Buffer.concat([Buffer.from(noise), ...threeFrames()])
      expect(decodeBatch(bytes)).toEqual(decodeBatch(Buffer.from(bytes)))
      expect(decodeBatch(bytes).visits).toHaveLength(4)
    }),
  )
})

test('of arbitrary bytes exactly the frames that the worker can read are sent', () => {
  const noise = fc.uint8Array({ maxLength: 60 })
  // A frame with the right checksum and arbitrary content.
  const frame = noise.map(payload => {
    const header = Buffer.alloc(10)
    header.writeUInt16LE(0x48c2, 0)
    header.writeUInt32LE(payload.length, 2)
    header.writeUInt32LE(crc32(payload), 6)
    return Buffer.concat([header, payload])
  })
  const written = fc.nat(2).map(i => threeFrames()[i] ?? Buffer.alloc(0))
  fc.assert(
    fc.property(fc.array(fc.oneof(noise, frame, written), { maxLength: 8 }), pieces => {
      const bytes = Buffer.concat(pieces)
      const sent = soundFrames(bytes)
      const { visits, ...condition } = decodeBatch(bytes)
      expect(sent).toMatchObject(condition)
      expect(sent.visits).toBe(visits.length)
      expect(sent.firstVisitAt).toBe(visits[0]?.visitedAt)
      expect(decodeBatch(sent.frames)).toMatchObject({ visits, soundBytes: sent.frames.length })
    }),
    { numRuns: 1_000 },
  )
})

test('a frame that can not be read leaves no text for later frames', () => {
  // Right checksum; it introduces text 2, and ends before its visit does.
  const payload = Buffer.from([0, 0, 0, 0, 0, 0, 1, 1, 2, 1, 0x78, 1])
  const header = Buffer.alloc(10)
  header.writeUInt16LE(0x48c2, 0)
  header.writeUInt32LE(payload.length, 2)
  header.writeUInt32LE(crc32(payload), 6)
  // Its visit has text 2 as its user agent, which no frame introduces.
  const later = Buffer.from([0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 0, 0])
  const laterHeader = Buffer.alloc(10)
  laterHeader.writeUInt16LE(0x48c2, 0)
  laterHeader.writeUInt32LE(later.length, 2)
  laterHeader.writeUInt32LE(crc32(later), 6)
  const { visits } = decodeBatch(Buffer.concat([header, payload, laterHeader, later]))
  expect(visits).toMatchObject([{ linkId: 1, userAgent: undefined }])
})

test('job data that is not a batch is rejected', () => {
  const good = { producerId: '019aab7c-0000-7000-8000-000000000000', seq: 1, frames: '' }
  expect(parseVisitJob(good)).toEqual(good)
  const bad = [
    null,
    [],
    'x',
    {},
    { ...good, seq: 0 },
    { ...good, seq: 1.5 },
    { ...good, producerId: 'x' },
    { ...good, frames: 7 },
  ]
  for (const data of bad) expect(parseVisitJob(data)).toBeUndefined()
})
