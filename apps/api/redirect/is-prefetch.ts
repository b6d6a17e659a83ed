import type { IncomingHttpHeaders } from 'node:http'

const purposes = /\b(?:prefetch|prerender|preview)\b/i

/**
 * Whether a browser fetches the page before anybody follows the link: `Sec-Purpose: prefetch` and `prefetch;prerender`
 * (https://html.spec.whatwg.org/multipage/urls-and-fetching.html, "sec-purpose"), before it `Purpose` of Chrome and
 * Safari, `X-Purpose: preview` of Safari's Top Sites, and `X-Moz: prefetch` of Firefox.
 */
export function isPrefetch(headers: IncomingHttpHeaders): boolean {
  return (
    names(headers['sec-purpose']) ||
    names(headers.purpose) ||
    names(headers['x-purpose']) ||
    names(headers['x-moz'])
  )
}

function names(purpose: string | string[] | undefined): boolean {
  return purpose !== undefined && purposes.test(String(purpose))
}
