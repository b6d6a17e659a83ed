/** A slug has 1–64 of the unreserved characters of RFC 3986 section 2.3, without the dot and the tilde. */
export const slugPattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * What is wrong with a custom slug, as a sentence; undefined if it is valid. Slugs are case-sensitive, but reserved
 * words are refused in any case and with any hyphens and underscores: people would confuse `/Stats` and `/pay-pal` with
 * `/stats` and `/paypal`.
 * @param reserved as reservedForms returns them
 */
export function checkSlug(slug: string, reserved: ReadonlySet<string>): string | undefined {
  if (!slugPattern.test(slug)) {
    return 'slug must be 1 to 64 characters long, each a letter from A to Z or a to z, a digit, _ or -.'
  }
  if (isReserved(slug, reserved)) return 'slug is a reserved word.'
  return undefined
}

export function isReserved(slug: string, reserved: ReadonlySet<string>): boolean {
  const word = slug.toLowerCase()
  return reserved.has(word) || (/[-_]/.test(word) && reserved.has(withoutHyphens(word)))
}

/** What a reserved word is compared by: itself in lower case, and without hyphens and underscores. */
export function reservedForms(word: string): string[] {
  const lower = word.toLowerCase()
  return [lower, withoutHyphens(lower)].filter(form => form !== '')
}

function withoutHyphens(word: string): string {
  return word.replace(/[-_]/g, '')
}
