/**
 * How links are searched for any part of their slug, target or title, without regard to case.
 *
 * The texts of 32 consecutive links are a block, with the set of all sequences of one, two and three characters (grams)
 * in it. An index finds the blocks that have every gram of a search; then their texts are looked at. Grams are hashed to
 * 16 bits: that two have the same hash costs a look at a block, nothing more.
 */
import { domainToUnicode } from 'node:url'

export const linksPerBlock = 32
const longestGram = 3
/** Of a long search, some from all of it find few enough blocks. */
const maxSearchedGrams = 24

export interface SearchedLink {
  slug: string
  longUrl: string
  title: string | null
}

/**
 * The line of a link in the text of its block. The target is also there as people read it. Fields contain no control
 * characters and neither does a search, so it never matches the end of one field and the beginning of the next.
 */
export function searchLine({ slug, longUrl, title }: SearchedLink): string {
  const readable = readableUrl(longUrl)
  const fields = [
    slug,
    longUrl,
    ...(readable === longUrl ? [] : [readable]),
    ...(title === null ? [] : [title]),
  ]
  return fields.join('\t').toLowerCase()
}

/** In the form in which it is compared with lines. */
export function searchedText(search: string): string {
  return search.toLowerCase()
}

/** With an international host in its letters, and without percent-encoding. */
function readableUrl(url: string): string {
  const host = url.includes('xn--') ? URL.parse(url)?.host : undefined
  const named = host === undefined ? url : url.replace(host, domainToUnicode(host) || host)
  if (!named.includes('%')) return named
  try {
    return decodeURI(named).replaceAll(/\p{Cc}/gu, ' ')
  } catch {
    return named
  }
}

export interface SearchBlock {
  block: number
  ids: number[]
  text: string
  grams: number[]
}

/** @param links all links of the block, by id */
export function searchBlock(block: number, links: (SearchedLink & { id: number })[]): SearchBlock {
  const text = links.map(searchLine).join('\n')
  return { block, ids: links.map(({ id }) => id), text, grams: gramsOf(text, 1, longestGram) }
}

/** The grams that a text with this part has. */
export function gramsOfSearch(searched: string): number[] {
  const length = Math.min(longestGram, searched.length)
  const grams = gramsOf(searched, length, length)
  const step = Math.max(1, grams.length / maxSearchedGrams)
  return grams.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
}

/** A bit per hash. Reused: clearing it is cheaper than a set. */
const seen = new Uint8Array(65_536)
const firstControl = 32

function gramsOf(text: string, shortest: number, longest: number): number[] {
  seen.fill(0)
  const grams: number[] = []
  for (let start = 0; start < text.length; start++) {
    // FNV-1a, over UTF-16 code units.
    let hash = 2_166_136_261
    for (let length = 1; length <= longest && start + length <= text.length; length++) {
      const unit = text.charCodeAt(start + length - 1)
      if (unit < firstControl) break
      hash = Math.imul(hash ^ unit, 16_777_619)
      const folded = (hash ^ (hash >>> 16)) & 65_535
      if (length < shortest || seen[folded] === 1) continue
      seen[folded] = 1
      // PostgreSQL's smallint is signed.
      grams.push(folded - 32_768)
    }
  }
  return grams
}
