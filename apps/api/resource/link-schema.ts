import type { Static } from 'typebox'
import { Type } from 'typebox'

export const ShortenBodySchema = Type.Object(
  {
    long_url: Type.String({ description: 'the target of the link: http or https, at most 2,048 bytes' }),
    slug: Type.Optional(
      Type.String({ description: '1–64 of A–Z a–z 0–9 _ -; by default 7 random characters' }),
    ),
    reuse: Type.Optional(
      Type.Boolean({
        description: 'returns an existing link to this URL, if there is one; not with slug or expires_at',
      }),
    ),
    expires_at: Type.Optional(
      Type.String({ description: 'RFC 3339 time with a zone; from then on the link responds with 410' }),
    ),
  },
  { additionalProperties: false },
)

export const NewLinkSchema = Type.Object({
  slug: Type.String(),
  short_url: Type.String({ format: 'uri' }),
  long_url: Type.String({
    format: 'uri',
    description: 'as it is stored: normalized, and percent-encoded where RFC 3986 requires it',
  }),
  created_at: Type.String({ format: 'date-time' }),
  expires_at: Type.Optional(Type.String({ format: 'date-time' })),
})

export type ShortenBody = Static<typeof ShortenBodySchema>
export type NewLink = Static<typeof NewLinkSchema>
