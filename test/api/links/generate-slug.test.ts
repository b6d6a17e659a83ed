import { describe, expect, test } from 'vitest'
import { checkSlug } from '../../../apps/api/links/check-slug.ts'
import { generateSlug, slugAlphabet, slugLength } from '../../../apps/api/links/generate-slug.ts'

const slugs = Array.from({ length: 20_000 }, generateSlug)

describe('a generated slug', () => {
  test('is 7 characters of the alphabet, and passes the checks of a custom slug', () => {
    const pattern = new RegExp(`^[${slugAlphabet}]{7}$`)
    expect(slugs.filter(slug => !pattern.test(slug) || checkSlug(slug, new Set()) !== undefined)).toEqual([])
  })

  test('has an alphabet without duplicates, look-alikes and vowels', () => {
    expect(new Set(slugAlphabet).size).toBe(slugAlphabet.length)
    expect(slugAlphabet).not.toMatch(/[0Oo1Il25]/)
    expect(slugAlphabet).not.toMatch(/[aeiouy34]/i)
  })

  test('is one of 271,818,611,107', () => {
    expect(slugAlphabet.length ** slugLength).toBe(271_818_611_107)
  })

  test('does not repeat', () => {
    // 20,000 draws contain a pair with a probability of 0.0007; five pairs never happen.
    expect(new Set(slugs).size).toBeGreaterThan(slugs.length - 5)
  })

  test('has every character of the alphabet equally often in every position', () => {
    const expected = slugs.length / slugAlphabet.length
    for (let place = 0; place < slugLength; place++) {
      const counts = new Map<string, number>()
      for (const slug of slugs) counts.set(slug.charAt(place), (counts.get(slug.charAt(place)) ?? 0) + 1)
      let chiSquare = 0
      for (const character of slugAlphabet)
        chiSquare += ((counts.get(character) ?? 0) - expected) ** 2 / expected
      // 42 degrees of freedom: above 120 once in ten million runs.
      expect(chiSquare).toBeLessThan(120)
    }
  })
})
