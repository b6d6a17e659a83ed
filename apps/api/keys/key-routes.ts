import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool } from 'pg'
import { Type } from 'typebox'
import { actorOf } from '../access/actor.ts'
import type { CredentialStore } from '../access/credentials.ts'
import type { StoredKey } from '../access/key-queries.ts'
import { listKeys } from '../access/key-queries.ts'
import { fieldProblem, Problem, problemResponses } from '../errors/problem.ts'
import type { CreateOnce } from '../idempotency/create-once.ts'
import { idempotencyHeader } from '../idempotency/create-once.ts'
import type { Key, NewKeyBody } from './key-schema.ts'
import { CreatedKeySchema, KeySchema, NewKeyBodySchema } from './key-schema.ts'
import type { KeyRequest } from './manage-keys.ts'
import { createKey, revokeKey, stateOf } from './manage-keys.ts'

const config = { access: 'admin' } as const
const unavailable = { 503: 'the database is unavailable' }

/** `/api/keys`: lists, creates and revokes keys. */
export const keyRoutes: FastifyPluginAsyncTypebox<{
  pool: Pool
  createOnce: CreateOnce
  store: Pick<CredentialStore, 'changed'>
}> = async (app, { pool, createOnce, store }) => {
  app.get(
    '/api/keys',
    {
      config,
      schema: {
        operationId: 'listKeys',
        summary: 'All keys, newest first',
        response: {
          200: { ...Type.Array(KeySchema), description: 'also those that are expired or revoked' },
          ...problemResponses(unavailable),
        },
      },
    },
    async () => {
      const now = Date.now()
      return (await listKeys(pool)).map(key => describeKey(key, now))
    },
  )

  app.post(
    '/api/keys',
    {
      config,
      schema: {
        operationId: 'createKey',
        summary: 'Create a key',
        headers: { type: 'object', properties: idempotencyHeader },
        body: NewKeyBodySchema,
        response: {
          201: { ...CreatedKeySchema, description: 'the new key, which is shown only here' },
          ...problemResponses({
            409: 'a request with the same Idempotency-Key is under way',
            413: 'the body is larger than 8 KiB',
            415: 'the body is not application/json',
            422: 'expires_at is over already, or the Idempotency-Key was used for another request',
            ...unavailable,
          }),
        },
      },
    },
    async (request, reply) => {
      const wanted = checkBody(request.body)
      const actor = actorOf(request)
      await createOnce(request, reply, async client => {
        const { key, stored } =
          client === undefined
            ? await inTransaction(pool, own => createKey(own, actor, wanted))
            : await createKey(client, actor, wanted)
        return {
          status: 201,
          headers: {},
          body: { ...describeKey(stored, Date.now()), key },
          committed: store.changed,
        }
      })
      return reply
    },
  )

  app.delete(
    '/api/keys/:id',
    {
      config,
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key',
        description: 'Within a second it is refused everywhere, and its sessions have ended.',
        params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
        response: {
          204: { type: 'null', description: 'it is revoked, now or before' },
          ...problemResponses({ 404: 'there is no such key', ...unavailable }),
        },
      },
    },
    async (request, reply) => {
      const isKnown = await inTransaction(pool, client =>
        revokeKey(client, actorOf(request), request.params.id),
      )
      if (!isKnown) throw new Problem(404, 'There is no such key.')
      store.changed()
      return reply.code(204).send(null)
    },
  )
}

/** Throws a Problem (422) that names the field. */
function checkBody({ name, scopes, expires_at, requests_per_minute }: NewKeyBody): KeyRequest {
  if (!name.isWellFormed()) throw fieldProblem(422, 'name', 'name has half a character.')
  const expiresAt = expires_at === undefined || expires_at === null ? undefined : new Date(expires_at)
  if (expiresAt !== undefined && !(expiresAt.getTime() > Date.now()))
    throw fieldProblem(422, 'expires_at', 'expires_at must be in the future.')
  return { name: name.trim(), scopes, expiresAt, requestsPerMinute: requests_per_minute ?? undefined }
}

function describeKey(key: StoredKey, now: number): Key {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    scopes: key.scopes,
    requests_per_minute: key.requestsPerMinute,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    state: stateOf(key, now),
  }
}
