/**
 * Creating requests with an Idempotency-Key: however often a client repeats one, after a time-out, a lost connection or a
 * crash of this process, it creates once, and gets the first response again for 24 h.
 *
 * | the key | response |
 * |---|---|
 * | is new | the creation, which commits together with its response: after a kill -9 there are both or neither |
 * | had the same request | its stored response, with `Idempotent-Replayed: true` |
 * | had another request | 422 |
 * | belongs to a request under way | 409 |
 *
 * Only successful responses are stored (2xx). Others created nothing: the request may be corrected or repeated.
 */
import { clientNetwork } from '@hopcount/shared/client-address.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { Semaphore } from 'async-mutex'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool, PoolClient } from 'pg'
import pg from 'pg'
import { actorOf } from '../access/actor.ts'
import type { ClientAddresses } from '../client-addresses.ts'
import { Problem } from '../errors/problem.ts'
import {
  decryptResponse,
  encryptResponse,
  hashKey,
  hashRequest,
  parseIdempotencyKey,
} from './idempotency-key.ts'
import { findResponse, storeResponse, tryLockKey } from './idempotency-queries.ts'

export interface Creation {
  status: number
  headers: Record<string, string>
  body: unknown
  /** Called once the creation is committed, and not for a stored response. */
  committed?: () => void
}

/**
 * Creates what the request asks for, and throws a Problem if it can't. `client`: the transaction in which everything must
 * happen, and whose connection it must not wait for another one with; undefined where the request has no
 * Idempotency-Key. It is called again if PostgreSQL gave up on the transaction because of others.
 */
export type Create = (client: PoolClient | undefined) => Promise<Creation>

/** Sends the response. */
export type CreateOnce = (request: FastifyRequest, reply: FastifyReply, create: Create) => Promise<void>

/** Of the pool's ten connections: redirects must always get one. */
const maxTransactions = 4
const maxAttempts = 5

/** For the schema of a route's headers. */
export const idempotencyHeader = {
  'idempotency-key': {
    type: 'string',
    description:
      'any text of 1–255 visible ASCII characters, best a random UUID: a repeated request with the same key and body creates nothing and gets the first response again, for 24 h',
  },
} as const

export function createOnceWith(options: { pool: Pool; clients: ClientAddresses }): CreateOnce {
  const { pool, clients } = options
  const transactions = new Semaphore(maxTransactions)

  return async (request, reply, create) => {
    const header = request.headers['idempotency-key']
    if (header === undefined) {
      const { status, headers, body, committed } = await create(undefined)
      committed?.()
      reply
        .code(status)
        .headers({ 'cache-control': 'no-store', ...headers })
        .send(body)
      return
    }
    const key = parseIdempotencyKey(String(header))
    const response = await transactions.runExclusive(() => createOnce(request, reply, key, create))
    reply
      .code(response.status)
      .headers({ 'cache-control': 'no-store', ...response.headers })
      .type('application/json; charset=utf-8')
      .send(response.body)
  }

  async function createOnce(request: FastifyRequest, reply: FastifyReply, key: string, create: Create) {
    const owner = {
      id: actorOf(request).keyId ?? 0,
      network: clientNetwork(clients.of(request.raw) ?? request.socket.remoteAddress ?? ''),
    }
    const hash = hashKey(key, owner)
    const requestHash = hashRequest(request.method, request.url, request.body)
    const place = { owner: owner.id, hash }
    let committed: (() => void) | undefined

    const response = await inRepeatedTransaction(pool, async client => {
      committed = undefined
      if (!(await tryLockKey(client, place)))
        return new Problem(409, 'A request with this Idempotency-Key is still being processed.', {
          headers: { 'retry-after': '1' },
        })
      const stored = await findResponse(client, place)
      if (stored !== undefined) {
        if (!stored.requestHash.equals(requestHash))
          return new Problem(422, 'This Idempotency-Key was used for another request in the last 24 hours.')
        const response: SentResponse = JSON.parse(decryptResponse(stored.response, key, hash))
        return { ...response, headers: { ...response.headers, 'idempotent-replayed': 'true' } }
      }
      const creation = await attempt(client, () => create(client))
      if (creation instanceof Problem) return creation
      committed = creation.committed
      // The route's serializer depends on the status.
      const body = reply.code(creation.status).serialize(creation.body) as string
      const response: SentResponse = { status: creation.status, headers: creation.headers, body }
      const encrypted = encryptResponse(JSON.stringify(response), key, hash)
      await storeResponse(client, place, { requestHash, response: encrypted })
      return response
    })
    if (response instanceof Problem) throw response
    committed?.()
    return response
  }
}

interface SentResponse {
  status: number
  headers: Record<string, string>
  /** As it was sent. */
  body: string
}

/** A refusal undoes what it has written, without the connection having to be closed as after other failures. */
async function attempt<Result>(client: PoolClient, work: () => Promise<Result>): Promise<Result | Problem> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    await client.query('ROLLBACK AND CHAIN')
    return error
  }
}

async function inRepeatedTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await inTransaction(pool, work)
    } catch (error) {
      if (attempts === maxAttempts || !isConflict(error)) throw error
    }
  }
}

/** SQLSTATE 40P01 (deadlock) and 40001 (serialization failure): nothing of the transaction remains. */
function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40P01' || error.code === '40001')
}
