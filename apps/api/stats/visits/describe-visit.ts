/** A raw visit as answers show it. */
import { lettersOf } from '@hopcount/shared/letter-codes.ts'
import { Type } from 'typebox'
import { loadTextDescriber } from '../describe-texts.ts'
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

export async function visitDescriber() {
  const texts = await loadTextDescriber()
  return (visit: RawVisit) => ({
    ...(visit.slug !== null && { slug: visit.slug }),
    visited_at: visit.visitedAt,
    referrer: visit.referrer,
    user_agent: visit.userAgent,
    country: countryOf(visit.country) || null,
    language: lettersOf(visit.language) || null,
    class: texts.userAgent(visit.userAgent).class,
  })
}

/** Empty where it is not known. */
export function countryOf(code: number | null): string {
  return lettersOf(code).toUpperCase()
}
