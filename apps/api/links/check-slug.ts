/** What a slug is made of: 1–64 of the characters that RFC 3986 section 2.3 never encodes, less the dot and the tilde. */
export const slugPattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * What is wrong with a slug that a client chose, as a sentence; undefined when nothing is. Slugs differ by case, but
 * a reserved word is refused in any: `/Stats` would be taken for the page.
 * @param reserved the words that are routes, in lower case
 */
export function checkSlug(slug: string, reserved: ReadonlySet<string>): string | undefined {
  if (!slugPattern.test(slug)) {
    return 'slug must be 1 to 64 characters long, each a letter from A to Z or a to z, a digit, _ or -.'
  }
  if (reserved.has(slug.toLowerCase())) return 'slug is a word that this service keeps for itself.'
  return undefined
}
