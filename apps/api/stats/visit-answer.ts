/** A raw visit as answers show it. */
import { lettersOf } from '@hopcount/shared/letter-codes.ts'
import { Type } from 'typebox'
import type { RawVisit } from './visits-queries.ts'

const nullableText = Type.Union([Type.String(), Type.Null()])

export const visitProperties = {
  visited_at: Type.String({ format: 'date-time' }),
  referrer: nullableText,
  user_agent: nullableText,
  country: Type.Union([Type.String(), Type.Null()], { description: 'ISO 3166-1, "DE"' }),
  language: Type.Union([Type.String(), Type.Null()], { description: 'ISO 639, "de"' }),
  class: Type.Union([Type.Literal('human'), Type.Literal('bot'), Type.Literal('preview')]),
}

/** The lists of browsers and bots are loaded when they are needed first: the start of the process does without them. */
export async function visitDescriber() {
  const { describeUserAgent } = await import('@hopcount/shared/describe-user-agent.ts')
  return (visit: RawVisit) => ({
    ...(visit.slug !== null && { slug: visit.slug }),
    visited_at: visit.visitedAt,
    referrer: visit.referrer,
    user_agent: visit.userAgent,
    country: countryOf(visit.country) || null,
    language: lettersOf(visit.language) || null,
    class: describeUserAgent(visit.userAgent ?? undefined).class,
  })
}

/** Empty where it is not known. */
export function countryOf(code: number | null): string {
  return lettersOf(code).toUpperCase()
}
