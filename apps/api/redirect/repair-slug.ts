/**
 * What a damaged link meant. Mail and chat programs, word processors and people take what follows a link for a part of it:
 * `/tour.`, `/tour)`, `/tour%E2%80%8B`, `/tour**`. A slug consists of A–Z a–z 0–9 _ -, so it is known where it ends. They
 * also put invisible characters into it to let it wrap, replace its hyphens, and escape its underscores.
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
  const slugs = new Set<string>()
  let text = withoutSurroundings(decodeAgain(requested))
  while (text !== '' && slugs.size < maxSlugs) {
    for (const slug of restoredInside(text)) if (slug !== requested && slugPattern.test(slug)) slugs.add(slug)
    if (!/[_-]$/.test(text)) break
    text = withoutSurroundings(text.slice(0, -1))
  }
  return [...slugs].slice(0, maxSlugs)
}

/** Removes what surrounds the slug. Anything else that is no slug stays, so that it isn't taken for another one. */
function withoutSurroundings(text: string): string {
  return text.replace(before, '').replace(delimited, '').replace(after, '')
}

/** Slashes (`https://hop.example//tour`), invisible characters, blanks, opening brackets and quotes in front. */
const before = /^[\p{Cc}\p{Cf}\p{Z}\p{Ps}\p{Pi}\p{Pf}"'<*`/\\]+/u

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

/**
 * The slug, with what programs do to characters within it undone. Blanks and control characters are not removed:
 * `/tour now` is not `/tournow`.
 */
function restoredInside(text: string): string[] {
  const slug = text
    .replace(/\p{Cf}/gu, '')
    // An escape of Markdown, whose backslash browsers turn into a slash.
    .replace(/[\\/](?=[_-])/g, '')
    // Full-width forms, as typed with an input method for Chinese or Japanese.
    .replace(/[０-９Ａ-Ｚａ-ｚ＿]/g, wide => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/[‐‑‒−﹣－]/g, '-')
  // Word processors and phones make one dash of one or two hyphens.
  return /[–—]/.test(slug) ? [slug.replace(/[–—]/g, '-'), slug.replace(/[–—]/g, '--')] : [slug]
}

/**
 * Some programs percent-encode an encoded path again (`/tour%2520`), and mail that was not decoded has quoted-printable
 * (RFC 2045, section 6.7) in place of it: `/tour=20`, `/tour=E2=80=8B`. That leaves letters and digits as they are.
 */
function decodeAgain(requested: string): string {
  const text = requested.replace(/=(?!3\d|[46][1-9A-F]|[57][0-9A])([0-9A-F]{2})/g, '%$1')
  if (!/%[0-9A-Fa-f]{2}/.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
