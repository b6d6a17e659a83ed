import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import type { ActiveSession, Identity } from '../access/actor.ts'
import { identityOf } from '../access/actor.ts'
import { deleteSession, extendSession, insertSession } from '../access/key-queries.ts'
import type { AccessParts } from '../access/open-access.ts'
import { isSameOrigin } from '../access/same-origin.ts'
import { generateSessionToken, hashSecret, isKey } from '../access/secrets.ts'
import { Problem, problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import type { PublicAddress } from '../links/short-urls.ts'
import { linkOrigin } from '../links/short-urls.ts'
import type { Session } from './key-schema.ts'
import { SessionSchema, SignInBodySchema } from './key-schema.ts'

const hourMs = 3_600_000
/** A session ends when its page has not been opened for so long, */
const idleMs = 12 * hourMs
/** after so long in any case, */
const longestMs = 30 * 24 * hourMs
/** and is extended at most once in this time, since all processes read it again then. */
const extendAfterMs = hourMs

const attemptsPerMinute = 10

/** `/api/session`: signs the page in and out, and says what it may do. */
export const sessionRoutes: FastifyPluginAsyncTypebox<AccessParts & PublicAddress & { pool: Pool }> = async (
  app,
  options,
) => {
  const { pool, store, cookie, ownHosts, access } = options

  app.get(
    '/api/session',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'session',
        summary: 'What this client may do',
        response: {
          200: { ...SessionSchema, description: 'also for clients that are not signed in' },
          ...problemResponses({ 503: 'keys can not be checked' }),
        },
      },
    },
    async (request, reply) => {
      const identity = identityOf(request)
      const { session } = identity
      const extended = session && extensionOf(session)
      if (session === undefined || extended === undefined)
        return describe(request, identity, session?.expiresAt)
      await extendSession(pool, { hash: session.hash, expiresAt: extended })
      store.changed()
      const token = cookie.read(request)
      if (token !== undefined) reply.header('set-cookie', cookieUntil(request, token, extended))
      return describe(request, identity, extended)
    },
  )

  app.post(
    '/api/session',
    {
      config: { access: 'open', ...perMinute(attemptsPerMinute, 'sign-in') },
      schema: {
        operationId: 'signIn',
        summary: 'Sign the page in with a key',
        body: SignInBodySchema,
        response: {
          200: {
            ...SessionSchema,
            description: 'signed in',
            headers: { 'set-cookie': { type: 'string', description: 'the session' } },
          },
          ...problemResponses({
            401: 'the key is not valid',
            403: 'the request is from a page of another site',
            409: 'nobody has to sign in (`ACCESS=open`)',
            413: 'the body is larger than 8 KiB',
            415: 'the body is not application/json',
            429: 'too many attempts from this address',
            503: 'the database is unavailable',
          }),
        },
      },
    },
    async (request, reply) => {
      if (access === 'open') throw new Problem(409, 'Access is open: nobody has to sign in.')
      if (isSameOrigin(request, ownHosts) === false)
        throw new Problem(403, 'Only the page of this service itself signs in.')
      const { key: secret } = request.body
      const key = isKey(secret)
        ? (store.trusted()?.key(secret) ?? (await store.settled()).key(secret))
        : undefined
      if (key === undefined)
        throw new Problem(401, 'This is not a valid key.', { headers: { 'www-authenticate': 'Bearer' } })
      const token = generateSessionToken()
      const createdAt = new Date()
      const expiresAt = new Date(createdAt.getTime() + idleMs)
      const hash = hashSecret(token)
      await insertSession(pool, { hash, keyId: key.id, expiresAt })
      // One browser has one session.
      const { session: previous } = identityOf(request)
      if (previous !== undefined) await deleteSession(pool, previous.hash)
      store.changed()
      reply.header('set-cookie', cookieUntil(request, token, expiresAt))
      const actor = { keyId: key.id, via: 'page', scopes: key.scopes } as const
      return describe(request, { actor, key, session: { hash, key, createdAt, expiresAt } }, expiresAt)
    },
  )

  app.delete(
    '/api/session',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'signOut',
        summary: 'Sign the page out',
        response: {
          204: { type: 'null', description: 'signed out, now or before' },
          ...problemResponses({
            403: 'the request is from a page of another site',
            503: 'the database is unavailable',
          }),
        },
      },
    },
    async (request, reply) => {
      const { session } = identityOf(request)
      if (session !== undefined) {
        await deleteSession(pool, session.hash)
        store.changed()
      }
      return reply.code(204).header('set-cookie', cookie.clear(request)).send(null)
    },
  )

  function cookieUntil(request: FastifyRequest, token: string, expiresAt: Date): string {
    return cookie.set(request, token, Math.floor((expiresAt.getTime() - Date.now()) / 1_000))
  }

  function describe(
    request: FastifyRequest,
    { actor, key, session }: Identity,
    expiresAt: Date | undefined,
  ): Session {
    return {
      short_origin: linkOrigin(options, request),
      access,
      public_shorten: access === 'open' || options.publicShorten,
      signed_in: session !== undefined,
      name: key?.name ?? null,
      scopes: [...actor.scopes],
      expires_at: expiresAt?.toISOString() ?? null,
    }
  }
}

/** Undefined: the session has been extended a short while ago, or has been open for as long as it may. */
function extensionOf({ createdAt, expiresAt }: ActiveSession): Date | undefined {
  const now = Date.now()
  const extended = Math.min(now + idleMs, createdAt.getTime() + longestMs)
  return extended - expiresAt.getTime() < extendAfterMs ? undefined : new Date(extended)
}
