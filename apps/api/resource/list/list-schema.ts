import type { Static } from 'typebox'
import { Type } from 'typebox'
import type { LinkState } from '../../links/link-state.ts'
import { LinkStateSchema } from '../../links/link-state.ts'
import { LinkSchema } from '../link-schema.ts'

export const ListQuerySchema = Type.Object(
  {
    search: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description:
          'only links whose slug, target or title contains this text, in upper or lower case; a short URL of this service finds its link',
      }),
    ),
    tag: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        maxItems: 20,
        description: 'only links that have this tag, in upper or lower case; may repeat: all of them',
      }),
    ),
    status: Type.Optional(
      Type.Unsafe<LinkState>({
        ...LinkStateSchema,
        description: 'only links in this state; by default all that are not deleted',
      }),
    ),
    sort: Type.Union([Type.Literal('newest'), Type.Literal('oldest')], { default: 'newest' }),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 25 }),
    after: Type.Optional(
      Type.String({ pattern: '^\\d{1,15}$', description: 'the next page, from the `Link` header' }),
    ),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof ListQuerySchema>

export const ListSchema = Type.Array(LinkSchema)
