import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const maxRetries = 5
const firstDelayMs = 5

/**
 * Makes `pool.query` repeat a statement that PostgreSQL gave up on because of other transactions: of a single statement
 * nothing remains then. That happens under SERIALIZABLE and REPEATABLE READ, where a transaction pooler passes on the
 * database's own default, and on a replica whose replay conflicts with a query.
 */
export function withSerializationRetries(pool: pg.Pool): pg.Pool {
  const query = pool.query.bind(pool)
  pool.query = ((...values: unknown[]) => retry(() => Reflect.apply(query, pool, values))) as typeof query
  return pool
}

async function retry<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt()
    } catch (error) {
      if (retries === maxRetries || !isSerializationFailure(error)) throw error
      await sleep(firstDelayMs * 2 ** retries * (0.5 + Math.random()))
    }
  }
}

/** SQLSTATE 40001. */
function isSerializationFailure(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '40001'
}
