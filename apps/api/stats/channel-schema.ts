import type { Channel } from '@hopcount/shared/sources/channels.ts'
import { channels } from '@hopcount/shared/sources/channels.ts'
import { Type } from 'typebox'

/** A union of a list has no static type of its own. */
export const ChannelSchema = Type.Unsafe<Channel>(
  Type.Union(
    channels.map(channel => Type.Literal(channel)),
    { description: 'a value of the breakdown by channel' },
  ),
)
