import fc from 'fast-check'
import { expect, test } from 'vitest'
import { botGroups, botNames } from '../../../apps/shared/agents/bots/bots.ts'
import {
  browserNames,
  describeUserAgent,
  systemNames,
} from '../../../apps/shared/agents/describe-user-agent.ts'
import { deviceNames } from '../../../apps/shared/agents/device-names.ts'
import type { NamedWords } from '../../../apps/shared/agents/named-words.ts'
import { wordFinder } from '../../../apps/shared/agents/named-words.ts'

const pieces = [
  'Mozilla/5.0 (Linux; Android 14; ',
  ' Build/UP1A.231005.007; wv)',
  'AppleWebKit/537.36 (KHTML, like Gecko) ',
  'Chrome/141.0.0.0 ',
  'Mobile Safari/537.36 ',
  '(compatible; ',
  '[FBAN/FB4A;FBAV/',
  '(Windows NT 10.0; Win64; x64)',
  'bot/1.0',
  'CFNetwork/1 ',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
]
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 30 })), { maxLength: 12 })
    .map(parts => parts.join('')),
)

test('whatever is sent, every value is one of our names', () => {
  const names = {
    browser: new Set(browserNames),
    os: new Set(['', ...systemNames]),
    device: new Set(['', ...deviceNames]),
    bot: new Set(['', ...botNames]),
    botGroup: new Set(['', ...botGroups]),
  }
  fc.assert(
    fc.property(fc.option(anyText, { nil: undefined }), text => {
      const { class: visitorClass, ...described } = describeUserAgent(text)
      for (const [what, known] of Object.entries(names))
        if (!known.has(described[what as keyof typeof names])) return false
      const isPerson = visitorClass === 'human'
      return (
        isPerson === (described.bot === '' && described.botGroup === '') &&
        (visitorClass === 'preview') === (described.botGroup === 'preview')
      )
    }),
    { numRuns: 3_000 },
  )
})

test('a name is found by the first row that has a word in the text, inside other words too', () => {
  const text = (maxLength: number) =>
    fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength })
  const row = fc.tuple(fc.nat(5).map(String), text(3), text(3)).map((named): NamedWords => named)
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), text(5), (rows, searched) => {
      const expected = rows.find(([, ...words]) => words.some(word => searched.includes(word)))?.[0]
      expect(wordFinder(rows)(searched)).toBe(expected)
    }),
    { numRuns: 2_000 },
  )
})

/**
 * A backtracking pattern takes seconds to years on one of these; what is linear takes some 0.1 ms. Each piece is
 * repeated to the 512 characters that are looked at.
 */
test('no text takes long to describe', () => {
  const repeated = [
    ...pieces,
    'a',
    ' ',
    '-',
    '_',
    ';',
    '(',
    ')',
    '/',
    '.',
    '0',
    'tv',
    'box ',
    '43',
    'led',
    'android',
    'android ;',
    'android 1;',
    'android 1; u; aa-aa;',
    'x1_eea',
    '1uhd',
    'ab-43a',
    'tab',
    'bot',
    'scan',
    'Mozilla/5.0 (',
    '@a.',
    'a/1.0;',
    '1.',
    '.1',
    ' \t',
    '\u0000',
    'ß',
    'İ',
    '😀',
  ]
  const starts = [
    '',
    'Mozilla/5.0 ',
    'Mozilla/5.0 (Linux; Android 14; ',
    'Dalvik/2.1.0 (Linux; U; Android 5; ',
    'Mozilla/5.0 Viber/1 ',
    'Mozilla/5.0 (SMART-TV) ',
  ]
  const texts = starts.flatMap(start => repeated.map(piece => start + piece.repeat(10_000)))
  for (const text of texts) {
    const milliseconds = Math.min(...[1, 2, 3].map(() => timeToDescribe(text)))
    expect(milliseconds, text.slice(0, 60)).toBeLessThan(20)
  }
})

/** Processor time: a busy machine makes no text slow. */
function timeToDescribe(text: string): number {
  const began = process.cpuUsage()
  describeUserAgent(text)
  return process.cpuUsage(began).user / 1_000
}
