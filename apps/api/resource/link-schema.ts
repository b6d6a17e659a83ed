/** The link as a resource: what clients send, and what they get. */
import type { Static, TSchema } from 'typebox'
import { Type } from 'typebox'
import { ByKeySchema } from '../audit/by-key.ts'
import type { LinkState } from '../links/link-state.ts'
import { LinkStateSchema } from '../links/link-state.ts'

function nullable<Schema extends TSchema>(schema: Schema, options: { description?: string } = {}) {
  return Type.Union([schema, Type.Null()], options)
}

function settable<Schema extends TSchema>(schema: Schema, description: string) {
  return Type.Optional(nullable(schema, { description }))
}

const longUrl = Type.String({ description: 'the target of the link: http or https, at most 2,048 bytes' })

/** Limits are checked by check-fields.ts, and have status 422. Null is the same as absent, and in a change: to be removed. */
const fields = {
  title: settable(Type.String(), 'at most 200 characters'),
  note: settable(Type.String(), 'at most 2,000 characters, line breaks included'),
  tags: settable(
    Type.Array(Type.String()),
    'at most 20 of at most 50 characters, without commas; compared without regard to case',
  ),
  valid_from: settable(
    Type.String(),
    'RFC 3339 time with a zone; before it the link responds with 404, like an unknown one',
  ),
  expires_at: settable(Type.String(), 'RFC 3339 time with a zone; from then on the link responds with 410'),
  expired_url: settable(
    Type.String(),
    'where visitors are sent who come after the expiry, or after the last of `max_visits`, in place of a 410; they are not counted as visits',
  ),
  max_visits: settable(
    Type.Integer(),
    'how many visits are redirected, bots and visits from before the limit included, 1 to 1,000,000,000,000; later ones get a 410. Never more, whatever happens; fewer where an API process is killed, at most 256 per process besides those under way',
  ),
  forward_query: settable(Type.Boolean(), 'appends the query string of a visit to the target'),
  disabled: settable(Type.Boolean(), 'the link responds with 404, like an unknown one; its slug stays taken'),
}

export const NewLinkBodySchema = Type.Object(
  {
    long_url: longUrl,
    slug: Type.Optional(
      Type.String({ description: '1–64 of A–Z a–z 0–9 _ -; by default 7 random characters' }),
    ),
    reuse: Type.Optional(
      Type.Boolean({
        description:
          'returns an existing link that only redirects to this URL, if there is one; not with any other field',
      }),
    ),
    ...fields,
  },
  { additionalProperties: false },
)
export type NewLinkBody = Static<typeof NewLinkBodySchema>

/** A merge patch (RFC 7396). */
export const LinkPatchSchema = Type.Object(
  { long_url: Type.Optional(longUrl), ...fields },
  { additionalProperties: false },
)
export type LinkPatch = Static<typeof LinkPatchSchema>

const time = Type.String({ format: 'date-time' })
const storedUrl = Type.String({
  format: 'uri',
  description: 'as it is stored: normalized, and percent-encoded where RFC 3986 requires it',
})

/** The response of `POST /shorten`. */
export const ShortenedLinkSchema = Type.Object({
  slug: Type.String(),
  short_url: Type.String({ format: 'uri' }),
  long_url: storedUrl,
  created_at: time,
  title: Type.Optional(Type.String()),
  note: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  valid_from: Type.Optional(time),
  expires_at: Type.Optional(time),
  expired_url: Type.Optional(Type.String()),
  max_visits: Type.Optional(Type.Integer()),
  forward_query: Type.Optional(Type.Boolean()),
  disabled: Type.Optional(Type.Boolean()),
})
export type ShortenedLink = Static<typeof ShortenedLinkSchema>

export const LinkSchema = Type.Object({
  slug: Type.String(),
  short_url: Type.String({ format: 'uri' }),
  long_url: storedUrl,
  title: nullable(Type.String()),
  note: nullable(Type.String()),
  tags: Type.Array(Type.String()),
  valid_from: nullable(time),
  expires_at: nullable(time),
  expired_url: nullable(Type.String()),
  max_visits: nullable(Type.Integer()),
  forward_query: Type.Boolean(),
  disabled: Type.Boolean(),
  state: Type.Unsafe<LinkState>({
    ...LinkStateSchema,
    description:
      'active links redirect; of the others the first that applies: deleted, disabled, scheduled (before valid_from), expired, exhausted (max_visits reached)',
  }),
  created_at: time,
  updated_at: Type.String({ format: 'date-time', description: 'the last change, at first created_at' }),
  created_by: ByKeySchema,
  deleted_at: nullable(time),
  visits: Type.Optional(
    Type.Integer({ description: 'redirects served; only for those who may read statistics' }),
  ),
  last_visit: Type.Optional(nullable(time, { description: 'the same' })),
})
export type LinkResource = Static<typeof LinkSchema>
