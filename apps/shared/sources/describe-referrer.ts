/**
 * Where a visit comes from. Called for each distinct referrer; callers remember the answer (some 3 µs).
 *
 * The order of what is tried: the page that another one stands for (a cache, a translation), apps, paths that tell one
 * product of a site from another, the named hosts, the packaged list, and what a host's first label says. A site that
 * nothing knows is its own source.
 */
import type { Channel, Source } from './channels.ts'
import { findApp, findHost, readDomain } from './known-sources.ts'
import { findListedHost } from './listed-sources.ts'
import { addressInside, sourceOfPath } from './pages.ts'
import type { ReferrerAddress } from './referrer-address.ts'
import { readReferrerAddress } from './referrer-address.ts'

const direct: Source = { source: '', channel: 'direct' }

/**
 * `direct` where there is no referrer, or one that names no site or app. Otherwise `source` is a known name or a host:
 * at most 253 letters, digits and `-_.`, or an IPv6 address in brackets.
 */
export function describeReferrer(referrer: string | undefined): Source {
  const address = referrer === undefined ? undefined : readReferrerAddress(referrer)
  if (address === undefined) return direct
  if (address.isApp) return describeApp(address.host)
  // Once: a chain of caches in caches is nobody's referrer.
  const inside = addressInside(address)
  return describeSite(inside ?? address)
}

function describeApp(id: string): Source {
  // Numbers as the App Store writes them.
  return findApp(id) ?? unknownSource(/^\d+$/.test(id) ? `id${id}` : id)
}

function describeSite(address: ReferrerAddress): Source {
  const { host } = address
  const domain = readDomain(host)
  // Some browsers send an app's id as if it were a site.
  const known = (domain && findHost(domain)) ?? findApp(host)
  if (known !== undefined) return sourceOfPath(known, address) ?? known
  return (domain && findListedHost(domain)) ?? unknownSource(host.replace(/^www\.(?=.)/, ''))
}

function unknownSource(source: string): Source {
  const channel = channelsByLabel.find(([label]) => label.test(source))?.[1] ?? 'other'
  return { source, channel }
}

/** By their first label: webmail of organisations, and instances of federated networks and of a search engine. */
const channelsByLabel: [label: RegExp, channel: Channel][] = [
  [/^(?:webmail\d?|mail\d?|email|owa|zimbra|roundcube|poczta|messagerie|newsletters?|mailing)\./, 'mail'],
  [/^(?:mastodon|mstdn|misskey|pleroma|friendica|pixelfed|lemmy)\./, 'social'],
  [/^peertube\./, 'video'],
  [/^(?:searx|searxng)\./, 'search'],
]
