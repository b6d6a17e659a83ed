import type { Static } from 'typebox'
import { Type } from 'typebox'
import { ChannelSchema } from '../channel-schema.ts'

const nullableText = Type.Union([Type.String(), Type.Null()])

export const VisitSchema = Type.Object({
  visited_at: Type.String({ format: 'date-time' }),
  referrer: nullableText,
  user_agent: nullableText,
  country: Type.Union([Type.String(), Type.Null()], { description: 'ISO 3166-1, "DE"' }),
  language: Type.Union([Type.String(), Type.Null()], { description: 'ISO 639, "de"' }),
  class: Type.Union([Type.Literal('human'), Type.Literal('bot'), Type.Literal('preview')]),
  source: Type.String({ description: 'the value of the breakdown by referrer; empty: no referrer' }),
  channel: ChannelSchema,
})

export const VisitOfAnyLinkSchema = Type.Object({ slug: Type.String(), ...VisitSchema.properties })

export type Visit = Static<typeof VisitSchema>
export type VisitOfAnyLink = Static<typeof VisitOfAnyLinkSchema>
