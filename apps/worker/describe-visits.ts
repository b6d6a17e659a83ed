/** What is counted about a visit: its class, its keys in the breakdowns, and who it was, as a hash of its day. */
import { hash } from 'node:crypto'
import type { VisitorClass } from '@hopcount/shared/describe-user-agent.ts'
import { describeUserAgent } from '@hopcount/shared/describe-user-agent.ts'
import { describeReferrer } from '@hopcount/shared/describe-referrer.ts'
import { letterCode } from '@hopcount/shared/letter-codes.ts'
import type { DecodedVisit } from '@hopcount/shared/visit-batch.ts'
import { LRUCache } from 'lru-cache'
import type { CountryFinder } from './find-country.ts'

export interface DescribedVisit extends DecodedVisit {
  /** Days (UTC) since 1970. */
  day: number
  class: VisitorClass
  /** One key of each dimension, as in `link_breakdowns`. */
  keys: string[]
  countryCode: number | null
  languageCode: number | null
  /** The person, the same all day long; undefined for what is no person, or where the day's salt is not there any more. */
  visitor: string | undefined
}

const dayMs = 24 * 60 * 60 * 1_000

export function dayOf(visitedAt: number): number {
  return Math.floor(visitedAt / dayMs)
}

/** @param salts by day since 1970 */
export function describeVisits(
  visits: DecodedVisit[],
  findCountry: CountryFinder,
  salts: ReadonlyMap<number, string>,
): DescribedVisit[] {
  return visits.map(visit => {
    const agent = userAgentKeys(visit.userAgent)
    const country = visit.address === undefined ? '' : findCountry(visit.address)
    const language = primaryLanguage(visit.language)
    const day = dayOf(visit.visitedAt)
    const salt = agent.class === 'human' && visit.address !== undefined ? salts.get(day) : undefined
    return {
      ...visit,
      day,
      class: agent.class,
      keys: [...agent.keys, `r${describeReferrer(visit.referrer)}`, `c${country}`, `l${language}`],
      countryCode: letterCode(country) ?? null,
      languageCode: letterCode(language) ?? null,
      visitor: salt === undefined ? undefined : visitorHash(salt, visit),
    }
  })
}

const knownAgents = new LRUCache<string, { class: VisitorClass; keys: string[] }>({ max: 20_000 })

export function userAgentKeys(userAgent: string | undefined): { class: VisitorClass; keys: string[] } {
  let known = knownAgents.get(userAgent ?? '')
  if (known === undefined) {
    const described = describeUserAgent(userAgent)
    known = {
      class: described.class,
      keys: [`b${described.browser}`, `o${described.os}`, `d${described.device}`],
    }
    knownAgents.set(userAgent ?? '', known)
  }
  return known
}

/** `de` of `de-CH` (BCP 47); empty for what is no language, as `*`. */
function primaryLanguage(language: string | undefined): string {
  const primary = /^([a-z]{2,3})(?:[-_]|$)/i.exec(language?.trim() ?? '')?.[1]
  return primary?.toLowerCase() ?? ''
}

/**
 * 64 bits of SHA-256 over the day's salt, address and user agent, as PostgreSQL's bigint. Among a million people of one
 * link and day, two have the same with a chance of 1 in 40 million.
 */
function visitorHash(salt: string, { address, userAgent }: DecodedVisit): string {
  return hash('sha256', `${salt}\n${address}\n${userAgent}`, 'buffer').readBigInt64BE().toString()
}
