/**
 * BullMQ's queue where PostgreSQL carries it, on connections of our own. BullMQ's would end the process when one is lost
 * before its first query; would remember a failed first attempt, so that a process started during an outage never
 * reached its queue; and would wait for ever on a connection that died silently.
 */
import type { BackendFactory, PgPool, PostgresQueueBackend } from 'bullmq'
import { assertSchemaCompatibility, PostgresConnection, runMigrations } from 'bullmq'
import type { Pool } from 'pg'
import { directConnection, openPool } from '../database/database.ts'
import { DatabaseClient } from '../database/database-client.ts'
import { VisitQueueBackend } from './visit-queue-backend.ts'

/** Schema of BullMQ's own tables. */
const queueSchema = 'hopcount_queue'
/** How often the listening connection is checked while a worker waits for jobs. */
const checkEveryMs = 5_000

/**
 * To be given to a queue or worker together with `postgresBackend`, which also closes it. A worker keeps one connection for
 * LISTEN.
 */
export function openQueuePool(
  databaseUrl: string,
  options: {
    max: number
    queryTimeoutMs: number
    /** Off: a crash of PostgreSQL may undo the last moments, which is as if the process had died before. */
    synchronousCommit: 'on' | 'off'
    /** Called with each connection. */
    onConnected?: ((client: unknown) => void) | undefined
  },
): PgPool {
  const pool = openPool(
    {
      ...directConnection(databaseUrl, [
        `search_path=${queueSchema}`,
        // A plan for each execution costs more than these statements, and would be the same.
        'plan_cache_mode=force_generic_plan',
        `synchronous_commit=${options.synchronousCommit}`,
      ]),
      max: options.max,
      application_name: 'hopcount queue',
      connectionTimeoutMillis: 3_000,
      query_timeout: options.queryTimeoutMs,
      keepAlive: true,
    },
    // BullMQ reports them.
    () => {},
  )
  if (options.onConnected !== undefined) pool.on('connect', options.onConnected)
  // BullMQ declares the listeners of a connection in a way of its own.
  return pool as unknown as PgPool
}

export const postgresBackend: BackendFactory<PostgresQueueBackend, PgPool> = (name, options, kind) =>
  new VisitQueueBackend(
    options.connection as unknown as Pool,
    'lockDuration' in options ? Number(options.lockDuration) : 0,
    new QueueConnection(options.connection),
    name,
    options,
    true,
    // Its listening connection gets the name by which getWorkers() finds a worker.
    kind?.withBlockingConnection ? name : undefined,
  )

class QueueConnection extends PostgresConnection {
  override readonly schema = queueSchema
  #ready: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #checkedAt = performance.now()

  override waitUntilReady(): Promise<void> {
    this.#ready ??= this.#checkSchema()
    return this.#ready
  }

  async #checkSchema(): Promise<void> {
    try {
      await assertSchemaCompatibility(this.pool, this.schema)
      setImmediate(() => this.emit('ready'))
    } catch (error) {
      this.#ready = undefined
      throw error
    }
  }

  /** BullMQ calls this each time it begins to wait for a job, every five seconds on an idle queue. */
  override async getListenClient(): ReturnType<PostgresConnection['getListenClient']> {
    const client = await super.getListenClient()
    if (performance.now() - this.#checkedAt > checkEveryMs) {
      this.#checkedAt = performance.now()
      // BullMQ replaces a connection that emits an error.
      client.query('SELECT 1').catch(error => emitError(client, error))
    }
    return client
  }

  override close(): Promise<void> {
    this.#closed ??= super.close().then(() => this.pool.end())
    return this.#closed
  }
}

function emitError(client: object, error: unknown): void {
  if (client instanceof DatabaseClient) client.emit('error', error)
}

/** Creates BullMQ's tables; safe to repeat. */
export async function migrateQueueTables(databaseUrl: string): Promise<void> {
  const client = new DatabaseClient({
    connectionString: databaseUrl,
    application_name: 'hopcount queue',
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
  })
  await client.connect()
  try {
    await runMigrations(client, queueSchema)
  } finally {
    await client.end()
  }
}
