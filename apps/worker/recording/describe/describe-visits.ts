/**
 * What is counted about a visit: its class, its keys in the breakdowns, and its visitor, as a hash with the day's salt.
 *
 * Descriptions are cached per text, because describing a user agent takes some 12 µs.
 */
import { hash } from 'node:crypto'
import { describeUserAgent } from '@hopcount/shared/agents/describe-user-agent.ts'
import { clientNetwork, normalizeAddress } from '@hopcount/shared/client-address.ts'
import { dayNumber } from '@hopcount/shared/days.ts'
import { letterCode } from '@hopcount/shared/letter-codes.ts'
import { describeReferrer } from '@hopcount/shared/sources/describe-referrer.ts'
import type { DecodedVisit } from '@hopcount/shared/visits/decode-batch.ts'
import { LRUCache } from 'lru-cache'
import type { AgentKeys, ReferrerKeys, VisitColumns } from '../visit-columns.ts'
import { enterText, reserveVisits } from '../visit-columns.ts'
import type { TimeBounds } from './bound-times.ts'
import { boundTime } from './bound-times.ts'
import type { CountryFinder } from './find-country.ts'
import type { Salts } from './visitor-salts.ts'

const remembered = 20_000

export interface DescribeWith {
  findCountry: CountryFinder
  salts: Salts
  bounds: TimeBounds
}

/** Adds the visits to the columns. */
export function describeVisits(
  columns: VisitColumns,
  visits: DecodedVisit[],
  { findCountry, salts, bounds }: DescribeWith,
): void {
  reserveVisits(columns, visits.length)
  const languageOf = rememberedForNow(languageCode)
  for (const visit of visits) {
    const at = columns.length++
    const userAgent = enterText(columns.userAgentTexts, visit.userAgent, agentKeys)
    columns.linkIds[at] = visit.linkId
    const visitedAt = boundTime(visit.visitedAt, bounds)
    if (visitedAt !== visit.visitedAt) columns.misdated.push(at)
    columns.visitedAt[at] = visitedAt
    columns.userAgents[at] = userAgent
    columns.referrers[at] = enterText(columns.referrerTexts, visit.referrer, referrerKeys)
    // Frames of earlier releases have it as the socket or a proxy gave it.
    const address = visit.address === undefined ? undefined : normalizeAddress(visit.address)
    columns.countries[at] = findCountry(address)
    columns.languages[at] = languageOf(visit.language ?? '')
    if (address === undefined || columns.userAgentTexts.known[userAgent]?.class !== 'human') continue
    const salt = salts.get(dayNumber(visitedAt))
    if (salt !== undefined) writeVisitor(columns.visitors, at, salt, clientNetwork(address), visit.userAgent)
  }
}

export const agentKeys = rememberedPerText<AgentKeys>(userAgent => {
  const { class: visitorClass, browser, os, device, bot, botGroup } = describeUserAgent(userAgent)
  return {
    class: visitorClass,
    ...{ browser: `b${browser}`, os: `o${os}`, device: `d${device}` },
    ...{ bot: `n${bot}`, botGroup: `g${botGroup}` },
  }
})

export const referrerKeys = rememberedPerText<ReferrerKeys>(referrer => {
  const { source, channel } = describeReferrer(referrer)
  return { source: `r${source}`, channel: `h${channel}` }
})

const languageNames = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })

/**
 * `de` of `de-CH`, `en` of `eng-US`, `sr` of `sh` (BCP 47, canonical) as a number; 0 for what is no language, as `*` or
 * `mul`, and for one that does not exist (CLDR names some 600): strangers can't make up values.
 */
const languageCode = rememberedPerText(text => {
  const primary = /^([a-z]{2,3})(?:[-_]|$)/i.exec(text.trim())?.[1]
  if (primary === undefined) return 0
  const [canonical = ''] = Intl.getCanonicalLocales(primary)
  const [language = ''] = canonical.split('-')
  if (noLanguages.has(language) || languageNames.of(language) === undefined) return 0
  return letterCode(language) ?? 0
})

/** "Multiple languages" and "no linguistic content" (ISO 639-2), which CLDR names. */
const noLanguages = new Set(['mul', 'zxx'])

function rememberedPerText<Known extends object | string | number>(describe: (text: string) => Known) {
  const known = new LRUCache<string, Known>({ max: remembered })
  return (text: string): Known => {
    let described = known.get(text)
    if (described === undefined) {
      described = describe(text)
      known.set(text, described)
    }
    return described
  }
}

/** For a few thousand texts, of which most are the same: an LRU cache, which keeps an order, takes longer than a Map. */
function rememberedForNow(describe: (text: string) => number) {
  const known = new Map<string, number>()
  return (text: string): number => {
    let described = known.get(text)
    if (described === undefined) {
      described = describe(text)
      known.set(text, described)
    }
    return described
  }
}

/**
 * 64 bits of SHA-256 over the day's salt, the client's address (IPv6: its /64) and user agent. Among a million visitors of one link and day, two have
 * the same with a chance of 1 in 40 million.
 */
function writeVisitor(
  visitors: Int32Array,
  at: number,
  salt: string,
  network: string,
  userAgent: string | undefined,
): void {
  // As text, a character per byte: a buffer of its own for each digest took 1.4 µs more.
  const digest = hash('sha256', `${salt}\n${network}\n${userAgent}`, 'latin1')
  visitors[2 * at] = word(digest, 0)
  visitors[2 * at + 1] = word(digest, 4)
}

/** Four bytes as a number, the highest first. */
function word(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)
  )
}
