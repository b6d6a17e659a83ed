/** A slug has 1–64 of the unreserved characters of RFC 3986 section 2.3, without the dot and the tilde. */
export const slugPattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * What is wrong with a custom slug, as a sentence; undefined if it is valid. Slugs are case-sensitive, but reserved
 * words are refused in any case: people would confuse `/Stats` with `/stats`.
 * @param reserved words that are routes, in lower case
 */
export function checkSlug(slug: string, reserved: ReadonlySet<string>): string | undefined {
  if (!slugPattern.test(slug)) {
    return 'slug must be 1 to 64 characters long, each a letter from A to Z or a to z, a digit, _ or -.'
  }
  if (reserved.has(slug.toLowerCase())) return 'slug is a reserved word.'
  return undefined
}
