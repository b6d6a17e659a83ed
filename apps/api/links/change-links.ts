/**
 * Changes existing links, so that every API process redirects by their new state within a second: the change and its
 * notice to the other processes commit together.
 */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'

/**
 * Runs `work` in one transaction, and announces the slugs. `work` locks the links' rows in the order of their ids.
 * Rejects if anything failed; nothing is changed then.
 */
export type ChangeLinks = <Result>(
  slugs: string[],
  work: (client: PoolClient) => Promise<Result>,
) => Promise<Result>

/** NOTIFY takes payloads below 8,000 bytes: 100 slugs. */
const slugsPerNotice = 100

export function createLinkChanger({ pool }: { pool: Pool }): ChangeLinks {
  return (slugs, work) =>
    inTransaction(pool, async client => {
      const result = await work(client)
      for (let i = 0; i < slugs.length; i += slugsPerNotice) {
        await client.query(`SELECT pg_notify('hopcount_links', $1)`, [
          slugs.slice(i, i + slugsPerNotice).join(' '),
        ])
      }
      return result
    })
}
