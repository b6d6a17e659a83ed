/**
 * The only way in which existing links are changed: every API process redirects by their new state within a second.
 *
 * The change and its notice to the processes commit together (link-changes.ts). L2 can't take part in the transaction, so
 * the links are blocked in it before the commit: whatever was cached is gone, and nobody who has read the former state can
 * put it back (link-cache.ts). Where that can't be done, the transaction gives L2 a new name instead, and leaves what the
 * old one holds to expire.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'

/**
 * Runs `work` in one transaction, and announces the slugs. `work` locks the links' rows in the order of their ids.
 * Rejects if anything failed; nothing is changed then, unless it was COMMIT that failed.
 */
export type ChangeLinks = <Result>(
  slugs: string[],
  work: (client: PoolClient) => Promise<Result>,
) => Promise<Result>

/** False: not all of the slugs are blocked for certain. Never rejects. */
export type BlockLinks = (slugs: string[], name: CacheName) => Promise<boolean>

/** L2 is emptied by giving it another name. */
export interface CacheName {
  /** Of the database: after a failover, a cached link may never have existed. */
  epoch: string
  /** Counts the changes that could not be made in Redis. */
  generation: number
}

/** The payload is the new generation. */
export const generationChannel = 'hopcount_link_cache'

/** NOTIFY takes payloads below 8,000 bytes: 100 slugs. */
const slugsPerNotice = 100

export function createLinkChanger(options: {
  pool: Pool
  /** Undefined: this process uses no L2. Others may. */
  block: BlockLinks | undefined
  /** The slug was changed; called before the changer resolves. */
  onChange: (slug: string) => void
}): ChangeLinks {
  const { pool, block, onChange } = options
  return async (slugs, work) => {
    const result = await inTransaction(pool, async client => {
      const done = await work(client)
      await emptyCache(client, slugs, block)
      for (let i = 0; i < slugs.length; i += slugsPerNotice) {
        await client.query({
          name: 'tell-changes',
          text: `SELECT pg_notify('hopcount_links', $1)`,
          values: [slugs.slice(i, i + slugsPerNotice).join(' ')],
        })
      }
      return done
    })
    for (const slug of slugs) onChange(slug)
    return result
  }
}

/**
 * Locked until the commit, so that links are blocked in the cache that all processes use then. Changes wait for each other
 * here, a few milliseconds each.
 */
async function emptyCache(client: PoolClient, slugs: string[], block: BlockLinks | undefined): Promise<void> {
  const { rows } = await client.query<{ generation: number; epoch: string | null }>({
    name: 'lock-link-cache',
    text: `SELECT generation, current_epoch()::text AS epoch FROM link_cache, database_epoch
           FOR UPDATE OF link_cache FOR SHARE OF database_epoch`,
  })
  const [cache] = rows
  if (block !== undefined && cache !== undefined && cache.epoch !== null) {
    if (await block(slugs, { epoch: cache.epoch, generation: cache.generation })) return
  }
  await client.query({
    name: 'rename-link-cache',
    text: `WITH renamed AS (UPDATE link_cache SET generation = generation + 1 RETURNING generation)
           SELECT pg_notify($1, generation::text) FROM renamed`,
    values: [generationChannel],
  })
}

export async function readGeneration(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ generation: number }>({
    name: 'read-generation',
    text: 'SELECT generation FROM link_cache',
  })
  const [cache] = rows
  if (cache === undefined) throw new Error('the table link_cache has no row')
  return cache.generation
}
