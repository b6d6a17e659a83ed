import pg from 'pg'
import { cleanUpLater } from '../support/clean-up.ts'

export interface LockWaits {
  /** Samples during which any transaction was under way. */
  samples: number
  /** Transactions of all samples. */
  underWay: number
  /** Those that waited for a lock that another transaction held. */
  waiting: number
}

/** Samples what the workers' transactions do until stopped. */
export async function watchLockWaits(databaseUrl: string, everyMs = 20): Promise<() => Promise<LockWaits>> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'bench' })
  client.on('error', () => {})
  await client.connect()
  cleanUpLater(() => client.end())
  const seen: LockWaits = { samples: 0, underWay: 0, waiting: 0 }
  let sampled: Promise<unknown> = Promise.resolve()
  async function sample(): Promise<void> {
    const { rows } = await client.query<{ under_way: string; waiting: string }>({
      name: 'sample-lock-waits',
      text: `SELECT count(*) AS under_way, count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting
        FROM pg_stat_activity WHERE application_name = 'hopcount worker' AND xact_start IS NOT NULL`,
    })
    const underWay = Number(rows[0]?.under_way)
    if (underWay > 0) seen.samples++
    seen.underWay += underWay
    seen.waiting += Number(rows[0]?.waiting)
  }
  const timer = setInterval(() => {
    sampled = sampled.then(sample).catch(() => {})
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await sampled
    await client.end()
    return seen
  }
}
