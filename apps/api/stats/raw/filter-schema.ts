import type { Static } from 'typebox'
import { Type } from 'typebox'
import { ChannelSchema } from '../channel-schema.ts'

const filter = (description: string) => Type.Optional(Type.String({ maxLength: 255, description }))

export const filterProperties = {
  class: Type.Optional(Type.Union([Type.Literal('human'), Type.Literal('bot'), Type.Literal('preview')])),
  referrer: filter('a value of the breakdown by referrer; empty: visits without a referrer'),
  channel: Type.Optional(ChannelSchema),
  country: filter('"DE"; empty: unknown'),
  browser: filter('a value of the breakdown by browser'),
  os: filter('a value of the breakdown by operating system'),
  device: filter('a value of the breakdown by device'),
  language: filter('"de"; empty: unknown'),
  bot: filter('a value of the breakdown by bot, bots and previews; empty: humans'),
  bot_group: filter('a value of the breakdown by group of bots; empty: humans'),
}

const FilterQuerySchema = Type.Object(filterProperties)
export type FilterQuery = Static<typeof FilterQuerySchema>
