/**
 * What a damaged link meant. Mail and chat programs, word processors and people take what follows a link for a part of it:
 * `/tour.`, `/tour)`, `/tour%E2%80%8B`, `/tour**`. A slug consists of A–Z a–z 0–9 _ -, so it is known where it ends.
 *
 * Only used when there is no link with the slug as requested, so an existing slug always wins.
 */
import { slugPattern } from '../links/check-slug.ts'

/** `_` and `-` may belong to the slug, so it is looked up with them first; this bounds the lookups per request. */
const maxSlugs = 3

/** Slugs to look up instead, the most likely one first; none for what isn't a slug followed by something else. */
export function slugsMeantBy(requested: string): string[] {
  // Most requests for unknown slugs: nothing is damaged.
  if (/^[\w-]*[A-Za-z0-9]$/.test(requested)) return []
  const slugs: string[] = []
  let slug = withoutSurroundings(decodeAgain(requested))
  while (slug !== '' && slugs.length < maxSlugs) {
    if (slug !== requested && slugPattern.test(slug)) slugs.push(slug)
    if (!/[_-]$/.test(slug)) break
    slug = withoutSurroundings(slug.slice(0, -1))
  }
  return slugs
}

/** Removes what surrounds the slug. Anything else that is no slug stays, so that it isn't taken for another one. */
function withoutSurroundings(text: string): string {
  return text.replace(before, '').replace(delimited, '').replace(after, '')
}

/** Invisible characters, blanks, opening brackets and quotes in front. */
const before = /^[\p{Cc}\p{Cf}\p{Z}\p{Ps}\p{Pi}\p{Pf}"'<*`]+/u

/**
 * Ends any URL in text (RFC 3986, appendix C): `"`, `<`, `>`, and the end of a Markdown link. `?`, `#` and
 * `&` begin a query or fragment, and stand in the path when a program has percent-encoded them (`/tour%3Futm_source=x`);
 * `&` also begins the entity of a character that was escaped for HTML (`/tour&gt;`).
 */
const delimited = /(?<=[\w-])[^\w-]*(?:[<>"?#&]|\]\().*$/su

/**
 * Punctuation, symbols, blanks, invisible characters, emoji. Also letters of scripts that are written without spaces or
 * attach particles to words, because there the text after a link touches it. Not other letters: `/café` is not `/caf`.
 */
const after =
  /(?:(?![_-])[\p{P}\p{S}\p{Z}\p{C}\p{M}]|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Thai})+$/u

/** Some programs percent-encode an encoded path again (`/tour%2520`). */
function decodeAgain(text: string): string {
  if (!/%[0-9A-Fa-f]{2}/.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
