import type { Static } from 'typebox'
import { Type } from 'typebox'
import { ChannelSchema } from '../channel-schema.ts'

const nullableText = Type.Union([Type.String(), Type.Null()])

const stated = Type.Union([Type.String(), Type.Null()], {
  description: 'as the user agent states it, if browsers have not frozen it there',
})

export const VisitSchema = Type.Object({
  visited_at: Type.String({ format: 'date-time' }),
  referrer: nullableText,
  user_agent: nullableText,
  country: Type.Union([Type.String(), Type.Null()], { description: 'ISO 3166-1, "DE"' }),
  language: Type.Union([Type.String(), Type.Null()], { description: 'ISO 639, "de"' }),
  class: Type.Union([Type.Literal('human'), Type.Literal('bot'), Type.Literal('preview')]),
  source: Type.String({ description: 'the value of the breakdown by referrer; empty: no referrer' }),
  channel: ChannelSchema,
  browser: Type.String({ description: 'the value of the breakdown by browser' }),
  browser_version: stated,
  os: Type.String({ description: 'the value of the breakdown by operating system; empty: unknown' }),
  os_version: stated,
  device: Type.String({ description: 'the value of the breakdown by device; empty: unknown' }),
  bot: Type.String({ description: 'the value of the breakdown by bot; empty: a human' }),
})

export const VisitOfAnyLinkSchema = Type.Object({ slug: Type.String(), ...VisitSchema.properties })

export type Visit = Static<typeof VisitSchema>
export type VisitOfAnyLink = Static<typeof VisitOfAnyLinkSchema>
