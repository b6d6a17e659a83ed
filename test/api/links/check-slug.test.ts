import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSlug, slugPattern } from '../../../apps/api/links/check-slug.ts'

const reserved = new Set(['stats', 'shorten', 'healthz'])

describe('a custom slug', () => {
  test.each([
    ['one character', 'a'],
    ['letters, digits, _ and -', 'Spring_Sale-2030'],
    ['digits alone', '2030'],
    ['64 characters', 'a'.repeat(64)],
    ['a word that only contains a reserved one', 'my-stats'],
    ['a name that every object has', 'constructor'],
  ])('%s is accepted', (_, slug) => {
    expect(checkSlug(slug, reserved)).toBeUndefined()
  })

  test.each([
    ['the empty text', ''],
    ['65 characters', 'a'.repeat(65)],
    ['a slash', 'a/b'],
    ['a dot', 'a.b'],
    ['the folder above', '..'],
    ['an encoded slash', '%2f'],
    ['a blank', 'a b'],
    ['a line break at the end', 'abc\n'],
    ['a NUL', 'a\0'],
    ['a query', 'a?b'],
    ['a fragment', 'a#b'],
    ['a letter with an accent', 'é'],
    ['a Cyrillic letter that looks Latin', 'stаts'],
    ['a full-width letter', 'ａ'],
    ['an emoji', '🙂'],
    ['half of a surrogate pair', '\ud83d'],
  ])('%s is refused', (_, slug) => {
    expect(checkSlug(slug, reserved)).toMatch(/1 to 64 characters/)
  })

  test.each(['stats', 'STATS', 'Shorten', 'healthZ'])('a reserved word is refused in any case: %s', slug => {
    expect(checkSlug(slug, reserved)).toMatch(/reserved word/)
  })

  test('an accepted slug needs no encoding in a path', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(slugPattern))
    fc.assert(
      fc.property(text, slug => {
        if (checkSlug(slug, reserved) === undefined) {
          expect(new URL(`/${slug}`, 'https://hop.example').pathname).toBe(`/${slug}`)
          expect(encodeURIComponent(slug)).toBe(slug)
        }
      }),
    )
  })
})
