/** What a client wants by its Accept and Accept-Language headers (RFC 9110, section 12.5). */
import { readQualities } from '@hopcount/shared/accept-qualities.ts'
import { LRUCache } from 'lru-cache'
import { pageTexts } from './page-texts.ts'

/** Clients send few different ones; a stranger's made-up ones cost their parsing, and no more memory than this. */
const maxRemembered = 200
const maxHeaderLength = 500

const wantsPage = new LRUCache<string, { yes: boolean }>({
  max: maxRemembered,
  memoMethod: accept => ({ yes: prefersHtml(readQualities(accept)) }),
})
const languages = new LRUCache<string, string>({
  max: maxRemembered,
  memoMethod: header => bestLanguage(readQualities(header)),
})

/** The language of the page that the client prefers to a problem document; undefined: it gets the document. */
export function acceptedPage(accept: string | undefined, language: string | undefined): string | undefined {
  if (accept === undefined || accept.length > maxHeaderLength || !/html/i.test(accept)) return undefined
  if (!wantsPage.memo(accept).yes) return undefined
  return languages.memo((language ?? '').slice(0, maxHeaderLength))
}

/**
 * Browsers name HTML when they navigate. Where a client names both, the quality decides, and a tie goes to the document:
 * a client that knows JSON is a program. A wildcard alone names nothing.
 */
function prefersHtml(qualities: Map<string, number>): boolean {
  const html = Math.max(qualities.get('text/html') ?? 0, qualities.get('application/xhtml+xml') ?? 0)
  const json = Math.max(
    ...['application/problem+json', 'application/json'].map(type => qualities.get(type) ?? 0),
  )
  const wildcard = qualities.get('application/*') ?? qualities.get('*/*') ?? 0
  return html > json && html >= wildcard
}

/** The first of the highest quality that there is a page in; `pt-BR` is served in `pt` (RFC 4647, section 3.4). */
function bestLanguage(qualities: Map<string, number>): string {
  let best = { language: 'en', quality: 0 }
  for (const [range, quality] of qualities) {
    const [language = ''] = range.split('-')
    if (quality > best.quality && Object.hasOwn(pageTexts, language)) best = { language, quality }
  }
  return best.language
}
