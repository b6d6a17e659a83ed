import type { Static } from 'typebox'
import { Type } from 'typebox'
import type { Scope } from '../access/actor.ts'
import { scopes } from '../access/actor.ts'

/** A union of a list has no static type of its own. */
const ScopeSchema = Type.Unsafe<Scope>(Type.Union(scopes.map(scope => Type.Literal(scope))))

export const maxNameLength = 100
export const maxRequestsPerMinute = 1_000_000

const ScopesSchema = Type.Array(ScopeSchema, {
  description:
    '`links:write` includes `links:read`; `admin` allows everything, and alone allows keys, the audit and metrics',
})
const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

export const NewKeyBodySchema = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: maxNameLength,
      // No control characters.
      pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      description: 'who or what uses it; the audit names it',
    }),
    scopes: Type.Array(ScopeSchema, { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
    expires_at: Type.Optional(
      Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
        description: 'from when on it is refused (RFC 3339); absent or null: never',
      }),
    ),
    requests_per_minute: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: maxRequestsPerMinute }), Type.Null()], {
        description:
          'the limit for this key, for all routes together, in place of the service’s own; 0: no limit; absent or null: the service’s own',
      }),
    ),
  },
  { additionalProperties: false },
)
export type NewKeyBody = Static<typeof NewKeyBodySchema>

export const KeySchema = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  hint: Type.String({ description: 'the first characters of the key' }),
  scopes: ScopesSchema,
  requests_per_minute: Type.Union([Type.Integer(), Type.Null()]),
  created_at: Type.String({ format: 'date-time' }),
  expires_at: nullableTime,
  revoked_at: nullableTime,
  state: Type.Union([Type.Literal('active'), Type.Literal('expired'), Type.Literal('revoked')]),
})
export type Key = Static<typeof KeySchema>

export const CreatedKeySchema = Type.Object({
  ...KeySchema.properties,
  key: Type.String({ description: 'the key itself, which can not be shown again' }),
})
export type CreatedKey = Static<typeof CreatedKeySchema>

export const SignInBodySchema = Type.Object(
  { key: Type.String({ maxLength: 200 }) },
  { additionalProperties: false },
)

export const SessionSchema = Type.Object({
  short_origin: Type.String({ description: 'what short URLs begin with' }),
  access: Type.Union([Type.Literal('open'), Type.Literal('keys')]),
  public_shorten: Type.Boolean({ description: 'whether anybody may `POST /shorten`' }),
  signed_in: Type.Boolean(),
  name: Type.Union([Type.String(), Type.Null()], { description: 'of the key' }),
  scopes: ScopesSchema,
  expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'when the session ends, unless it is used before',
  }),
})
export type Session = Static<typeof SessionSchema>
