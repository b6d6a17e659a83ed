import fc from 'fast-check'
import { expect, test } from 'vitest'
import { channels } from '../../../apps/shared/sources/channels.ts'
import { describeReferrer } from '../../../apps/shared/sources/describe-referrer.ts'

const scheme = fc.constantFrom(
  'https://',
  'http://',
  'HTTPS://',
  'android-app://',
  'ios-app://',
  'android-app:',
  '',
)
const host = fc.oneof(
  fc.domain(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.ipV4(),
  fc.ipV6().map(address => `[${address}]`),
  fc.constantFrom(
    'www.google.com',
    'www.google.com/url',
    't.co',
    'a.cdn.ampproject.org',
    'translate.google.com',
  ),
  fc.constantFrom(
    'ex--ample--.translate.goog',
    '-.translate.goog',
    'a.turbopages.org',
    'bücher.example',
    '_dmarc.x.com',
  ),
  fc
    .array(fc.constantFrom('a', 'www', 'm', '-', 'google', 'com', 'co.uk', ''), { maxLength: 130 })
    .map(l => l.join('.')),
)
const path = fc.oneof(
  fc.webPath(),
  fc.string({ unit: 'binary', maxLength: 10_000 }),
  fc
    .tuple(fc.constantFrom('/url?source=', '/c/s/', '/amp/s/', '/translate?u='), fc.string())
    .map(p => p.join('')),
)
const referrers = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 10_000 }),
  fc.webUrl({ withQueryParameters: true }),
  fc
    .tuple(scheme, fc.constantFrom('', 'user:pw@'), host, fc.constantFrom('', '.', ':8080', ':'), path)
    .map(p => p.join('')),
)

test('no text of a stranger comes out: a source is a known name or a host of safe characters', () => {
  fc.assert(
    fc.property(referrers, referrer => {
      const { source, channel } = describeReferrer(referrer)
      expect(channels).toContain(channel)
      expect(source === '').toBe(channel === 'direct')
      // Names have capitals, blanks and such, but are constants; all else is of these characters.
      if (source.length > 30 || /[^A-Za-z0-9_.+&! -]/.test(source))
        expect(source).toMatch(/^(?:[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])$/)
    }),
    { numRuns: 3_000 },
  )
})

test('what surrounds a host makes no difference to its source', () => {
  const hosts = fc.constantFrom(
    'www.google.com',
    'm.facebook.com',
    'mail.yahoo.co.jp',
    'blog.example.org',
    '192.0.2.1',
  )
  fc.assert(
    fc.property(
      hosts,
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 65_535 }),
      (host, upper, dot, port) => {
        const authority = `me:secret@${upper ? host.toUpperCase() : host}${dot && !/^\d/.test(host) ? '.' : ''}:${port}`
        expect(describeReferrer(`http://${authority}/`)).toEqual(describeReferrer(`https://${host}/`))
      },
    ),
  )
})

test('10 kB of referrer are read like their beginning', () => {
  const { source, channel } = describeReferrer(`https://chatgpt.com/${'x'.repeat(10_000)}`)
  expect({ source, channel }).toEqual({ source: 'ChatGPT', channel: 'ai assistant' })
})
