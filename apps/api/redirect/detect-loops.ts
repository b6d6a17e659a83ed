/**
 * Links that lead back to this service: their redirect might never end, and each round would be counted.
 *
 * POST /shorten refuses them where it knows the host; a host it learns of only later, from the request for the link, is
 * noticed here. For the others this costs at most two comparisons of short strings per redirect: the host in the target
 * is extracted when the link is loaded, and the host of the request is normalized when it differs from the last one.
 */
import type { IncomingMessage } from 'node:http'
import type { ClientAddresses } from '../client-addresses.ts'
import type { OwnHosts } from '../hosts/own-hosts.ts'
import { normalizeHost } from '../hosts/own-hosts.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { Link } from '../links/link.ts'
import { replaceCutEncoding } from './cut-encoding.ts'
import { decodePath } from './find-link.ts'
import { slugsMeantBy } from './repair-slug.ts'

export type LoopCheck = (link: Pick<Link, 'longUrl' | 'targetHost'>, request: IncomingMessage) => boolean

/** @param routes words in place of a slug that lead to a route and end there, in lower case */
export function createLoopCheck(
  ownHosts: OwnHosts,
  routes: ReadonlySet<string>,
  clients: Pick<ClientAddresses, 'hostOf'>,
): LoopCheck {
  let lastHost = ''
  let lastNormalized = ''

  return ({ longUrl, targetHost }, request) => {
    if (targetHost === undefined) return false
    const host = clients.hostOf(request)
    if (host !== lastHost) {
      lastHost = host
      lastNormalized = normalizeHost(host)
    }
    return (targetHost === lastNormalized || ownHosts.has(targetHost)) && leadsToSlug(longUrl, routes)
  }
}

function leadsToSlug(longUrl: string, routes: ReadonlySet<string>): boolean {
  // A link that was inserted by hand may have any text.
  const path = decodePath(replaceCutEncoding(URL.parse(longUrl)?.pathname ?? '').slice(1))
  if (slugPattern.test(path)) return !routes.has(path.toLowerCase())
  return slugsMeantBy(path).length > 0
}
