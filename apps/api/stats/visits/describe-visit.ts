/** A raw visit as responses show it. */
import { sentUserAgent } from '@hopcount/shared/agents/client-hints.ts'
import { lettersOf } from '@hopcount/shared/letter-codes.ts'
import { loadTextDescriber } from '../describe-texts.ts'
import type { RawVisit } from './visits-queries.ts'

export async function visitDescriber() {
  const texts = await loadTextDescriber()
  return (visit: RawVisit) => ({
    ...(visit.slug !== null && { slug: visit.slug }),
    visited_at: visit.visitedAt,
    referrer: visit.referrer,
    user_agent: sentUserAgent(visit.userAgent),
    country: countryOf(visit.country) || null,
    language: lettersOf(visit.language) || null,
    class: texts.userAgent(visit.userAgent).class,
    ...texts.referrer(visit.referrer),
  })
}

/** Empty if unknown. */
export function countryOf(code: number | null): string {
  return lettersOf(code).toUpperCase()
}
