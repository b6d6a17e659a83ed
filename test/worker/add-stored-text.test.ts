import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Breakdowns, StoredBreakdowns } from '../../apps/shared/breakdowns.ts'
import { addCount, addStored, storedText } from '../../apps/shared/breakdowns.ts'
import { addStoredText } from '../../apps/worker/maintenance/add-stored-text.ts'

const counts = fc
  .tuple(fc.nat(2 ** 31), fc.nat(2 ** 31))
  .map(([humans, others]) => ({ visits: humans + others, humans }))
const plainKeys = fc.string({ unit: fc.constantFrom(...'abcxyz.-:,{}[]0123456789 ü€😀'), maxLength: 12 })
const breakdownsOf = (keys: fc.Arbitrary<string>) =>
  // A letter comes first in every key.
  fc
    .uniqueArray(fc.tuple(keys, counts), { selector: ([key]) => key, maxLength: 12 })
    .map((entries): Breakdowns => new Map(entries.map(([key, count]) => [`r${key}`, count])))

function parsed(text: string, to: Breakdowns = new Map()): Breakdowns {
  addStored(to, JSON.parse(text) as StoredBreakdowns)
  return to
}

function scanned(text: string, to: Breakdowns = new Map()): Breakdowns {
  addStoredText(to, text)
  return to
}

test('stored breakdowns are read back unchanged, whatever their keys contain', () => {
  for (const keys of [plainKeys, fc.string({ unit: 'binary' })])
    fc.assert(
      fc.property(breakdownsOf(keys), breakdowns => {
        expect([...scanned(storedText(breakdowns))]).toEqual([...breakdowns])
      }),
    )
})

test('counts are added to existing ones', () => {
  fc.assert(
    fc.property(breakdownsOf(plainKeys), breakdowns => {
      const text = storedText(breakdowns)
      const twice = scanned(text, scanned(text))
      const expected: Breakdowns = new Map()
      for (const [key, { visits, humans }] of breakdowns) addCount(expected, key, 2 * visits, 2 * humans)
      expect(twice).toEqual(expected)
    }),
  )
})

test('JSON in PostgreSQL’s own formatting is read too', () => {
  for (const text of ['{"r*" : 5, "c*" : [7, 3]}', '{"r*": 5, "c*": [7, 3]}', '{ "r*":5,"c*":[7,3] }'])
    expect(scanned(text)).toEqual(
      new Map([
        ['r*', { visits: 5, humans: 5 }],
        ['c*', { visits: 7, humans: 3 }],
      ]),
    )
  expect(scanned('{ }')).toEqual(new Map())
})

test('a truncated text, or one with trailing characters, is refused and adds no counts', () => {
  fc.assert(
    fc.property(breakdownsOf(plainKeys), fc.double({ min: 0, max: 1, noNaN: true }), (breakdowns, share) => {
      const text = storedText(breakdowns)
      for (const bad of [text.slice(0, Math.floor(share * text.length)), `${text}}`, `${text},"r":1}`]) {
        if (bad === text) continue
        const sum: Breakdowns = new Map()
        expect(() => scanned(bad, sum)).toThrow(SyntaxError)
        expect(sum.size).toBe(0)
      }
    }),
  )
  for (const bad of [
    '',
    '{',
    '}',
    '{"r":}',
    '{"r":[1,]}',
    '{"r":[,1]}',
    '{"r":1,}',
    '{"r":1"o":1}',
    '{"r":[1,2}',
  ])
    expect(() => scanned(bad)).toThrow(SyntaxError)
})

test('results are those of JSON.parse', () => {
  fc.assert(
    fc.property(breakdownsOf(fc.string({ unit: 'grapheme' })), breakdowns => {
      const text = storedText(breakdowns)
      expect([...scanned(text)]).toEqual([...parsed(text)])
    }),
  )
})
