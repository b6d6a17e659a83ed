import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkExpiry } from '../../../apps/api/links/check-expiry.ts'

const now = new Date('2026-06-15T12:00:00.000Z')

describe('the expiry of a link', () => {
  test.each([
    ['a moment in UTC', '2026-12-31T23:59:59Z', '2026-12-31T23:59:59.000Z'],
    ['a moment east of UTC', '2026-12-31T23:59:59+05:30', '2026-12-31T18:29:59.000Z'],
    ['a moment west of UTC, in the next year', '2026-12-31T23:59:59-01:00', '2027-01-01T00:59:59.000Z'],
    [
      'an unknown local offset, RFC 3339 section 4.3',
      '2026-12-31T23:59:59-00:00',
      '2026-12-31T23:59:59.000Z',
    ],
    ['lower case, RFC 3339 section 5.6', '2026-12-31t23:59:59z', '2026-12-31T23:59:59.000Z'],
    ['milliseconds', '2026-12-31T23:59:59.123Z', '2026-12-31T23:59:59.123Z'],
    ['nanoseconds, cut off', '2026-12-31T23:59:59.999999999Z', '2026-12-31T23:59:59.999Z'],
    ['29 February of a leap year', '2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['a millisecond from now', '2026-06-15T12:00:00.001Z', '2026-06-15T12:00:00.001Z'],
    ['the last moment of the year 9999', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('may be %s', (_, text, moment) => {
    expect(checkExpiry(text, now)).toEqual({ expiresAt: new Date(moment) })
  })

  test.each([
    ['the empty text', ''],
    ['a word', 'tomorrow'],
    ['a date alone', '2026-12-31'],
    ['a time without a zone', '2026-12-31T23:59:59'],
    ['a time without seconds', '2026-12-31T23:59Z'],
    ['a blank in place of the T', '2026-12-31 23:59:59Z'],
    ['a zone without a colon', '2026-12-31T23:59:59+0100'],
    ['a zone by name', '2026-12-31T23:59:59 UTC'],
    ['a zone in brackets', '2026-12-31T23:59:59Z[UTC]'],
    ['seconds since 1970', '1798761599'],
    ['the date of an HTTP header', 'Thu, 31 Dec 2026 23:59:59 GMT'],
    ['a leap second', '2026-12-31T23:59:60Z'],
    ['a comma before the fraction', '2026-12-31T23:59:59,5Z'],
    ['a dot without a fraction', '2026-12-31T23:59:59.Z'],
    ['a year of six digits', '+010000-01-01T00:00:00Z'],
    ['a blank in front', ' 2026-12-31T23:59:59Z'],
    ['a line break at the end', '2026-12-31T23:59:59Z\n'],
    ['digits of another script', '２０２６-12-31T23:59:59Z'],
  ])('is refused as not of RFC 3339: %s', (_, text) => {
    expect(checkExpiry(text, now)).toEqual({ problem: expect.stringContaining('RFC 3339') })
  })

  test.each([
    ['30 February', '2027-02-30T00:00:00Z'],
    ['29 February of a common year', '2027-02-29T00:00:00Z'],
    ['31 April', '2027-04-31T00:00:00Z'],
    ['day 0', '2027-01-00T00:00:00Z'],
    ['day 32', '2027-01-32T00:00:00Z'],
    ['month 0', '2027-00-01T00:00:00Z'],
    ['month 13', '2027-13-01T00:00:00Z'],
    ['24:00', '2027-01-01T24:00:00Z'],
    ['25:00', '2027-01-01T25:00:00Z'],
    ['minute 60', '2027-01-01T00:60:00Z'],
    ['a zone of 24 hours', '2027-01-01T00:00:00+24:00'],
    ['a zone of 60 minutes', '2027-01-01T00:00:00-05:60'],
  ])('is refused as impossible: %s', (_, text) => {
    expect(checkExpiry(text, now)).toEqual({ problem: expect.stringContaining('exist') })
  })

  test.each([
    ['a year ago', '2025-06-15T12:00:00Z'],
    ['now', '2026-06-15T12:00:00Z'],
    ['later by the clock but past by its zone', '2026-06-15T13:00:00+02:00'],
    ['the year 0', '0000-01-01T00:00:00Z'],
  ])('is refused as past: %s', (_, text) => {
    expect(checkExpiry(text, now)).toEqual({ problem: expect.stringContaining('future') })
  })

  test('is refused if its zone moves it beyond the year 9999', () => {
    expect(checkExpiry('9999-12-31T23:59:59-00:01', now)).toEqual({
      problem: expect.stringContaining('9999'),
    })
  })

  test('is returned as given, for every time from now to the year 9999', () => {
    const moment = fc.date({
      min: new Date(now.getTime() + 1),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(moment, expiresAt => {
        expect(checkExpiry(expiresAt.toISOString(), now)).toEqual({ expiresAt })
      }),
    )
  })

  test('is a future time or an error sentence, whatever the text', () => {
    const digits = (count: number) => fc.stringMatching(new RegExp(`^[0-9]{${count}}$`))
    const nearlyDateTime = fc
      .tuple(
        digits(4),
        digits(2),
        digits(2),
        digits(2),
        digits(2),
        digits(2),
        fc.constantFrom('Z', '', '+14:00', '-99:00'),
      )
      .map(
        ([year, month, day, hour, minute, second, zone]) =>
          `${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`,
      )
    fc.assert(
      fc.property(fc.oneof(nearlyDateTime, fc.string({ unit: 'binary' })), text => {
        const result = checkExpiry(text, now)
        if ('problem' in result) expect(result.problem).toMatch(/^expires_at .+\.$/)
        else expect(result.expiresAt.getTime()).toBeGreaterThan(now.getTime())
      }),
      { numRuns: 1_000 },
    )
  })
})
