/** The source and channel of hosts and apps that have a name, by the tables in `named/`. */
import { parse } from 'tldts'
import type { Channel, Source, SourceTable } from './channels.ts'
import { advertising } from './named/advertising.ts'
import { aiAssistants } from './named/ai-assistants.ts'
import { apps } from './named/apps.ts'
import { mail } from './named/mail.ts'
import { messaging } from './named/messaging.ts'
import { otherSites } from './named/other-sites.ts'
import { searchEngines } from './named/search-engines.ts'
import { socialNetworks } from './named/social-networks.ts'
import { videoSites } from './named/video.ts'

const tables: [Channel, SourceTable][] = [
  ['search', searchEngines],
  ['social', socialNetworks],
  ['mail', mail],
  ['messaging', messaging],
  ['ai assistant', aiAssistants],
  ['video', videoSites],
  ['ads', advertising],
  ['other', otherSites],
]

const byName = new Map<string, Source>()
const byHost = new Map<string, Source>()
/** By domain: what its front door alone stands for. */
const byFrontDoor = new Map<string, Source>()
const byApp = new Map<string, Source>()

for (const [channel, table] of tables) {
  for (const [name, hosts] of Object.entries(table)) {
    const source = enterSource(name, channel)
    for (const host of hosts.split(' ').filter(Boolean)) {
      if (host.startsWith('www.')) enter(byFrontDoor, host.slice('www.'.length), source)
      else enter(byHost, host, source)
    }
  }
}
for (const [channel, table] of Object.entries(apps)) {
  for (const [name, ids] of Object.entries(table)) {
    const source = enterSource(name, channel as Channel)
    for (const id of ids.split(' ')) enter(byApp, id, source)
  }
}

/** A name belongs to one channel, so that a breakdown by source and one by channel agree. */
function enterSource(name: string, channel: Channel): Source {
  const source = byName.get(name) ?? { source: name, channel }
  if (source.channel !== channel) throw new Error(`${name} is both ${source.channel} and ${channel}`)
  byName.set(name, source)
  return source
}

function enter(to: Map<string, Source>, key: string, source: Source): void {
  const present = to.get(key)
  if (present !== undefined) throw new Error(`${key} is both ${present.source} and ${source.source}`)
  to.set(key, source)
}

/** Throws for a name that no table has: for constants of this folder. */
export function knownSource(name: string): Source {
  const source = byName.get(name)
  if (source === undefined) throw new Error(`no source ${name}`)
  return source
}

export function findSourceByName(name: string): Source | undefined {
  return byName.get(name)
}

export function findApp(id: string): Source | undefined {
  return byApp.get(id)
}

/** Where a host's domain begins. */
export interface DomainOfHost {
  host: string
  domain: string
  /** `google.*` for a domain under `com` or a country's suffix. */
  anywhere: string | undefined
}

/** Undefined for IP addresses and for hosts without a domain. */
export function readDomain(host: string): DomainOfHost | undefined {
  const { domain, publicSuffix, isIp } = parse(host, { extractHostname: false })
  if (isIp || domain === null || publicSuffix === null) return undefined
  const anywhere = isCountrySuffix(publicSuffix) ? `${domain.slice(0, -publicSuffix.length)}*` : undefined
  return { host, domain, anywhere }
}

/** `com`, `de`, `co.uk`; `cat`, where Google has a domain. */
function isCountrySuffix(suffix: string): boolean {
  return suffix === 'com' || suffix === 'cat' || /(?:^|\.)[a-z]{2}$/.test(suffix)
}

/** Labels looked at, from the domain down: a host of 126 labels must not cost 126 look-ups. */
const maxLabels = 5
const frontDoor =
  /^(?:(?:www\d{0,2}|ww\d|m|mobile|touch|wap|amp|lite|old|new|web|[a-z]{2}|[a-z]{2}-[a-z]{2})\.){0,2}$/

/**
 * The source of a domain's host. `google.*` in a table stands for the name under `com` and under the suffixes of
 * countries, by the public suffix list; under others it may be anybody's.
 */
export function findHost({ host, domain, anywhere }: DomainOfHost): Source | undefined {
  const domainAt = host.length - domain.length
  for (let at = firstLabelAt(host, domainAt); at <= domainAt; at = host.indexOf('.', at) + 1) {
    const subdomain = host.slice(at, domainAt)
    const found = byHost.get(subdomain + domain) ?? (anywhere && byHost.get(subdomain + anywhere))
    if (found) return found
    if (at === domainAt) break
  }
  if (!frontDoor.test(host.slice(0, domainAt))) return undefined
  return byFrontDoor.get(domain) ?? (anywhere === undefined ? undefined : byFrontDoor.get(anywhere))
}

function firstLabelAt(host: string, domainAt: number): number {
  let at = domainAt
  for (let labels = 0; labels < maxLabels && at > 0; labels++) at = host.lastIndexOf('.', at - 2) + 1
  return at
}
