/**
 * Counts a day again from its raw visits, while recording goes on.
 *
 * A snapshot holds raw visits and aggregates as the same transactions left them. A transaction that commits later adds
 * the same to both, so their differences stay what they are in the snapshot, and are added to the aggregates afterwards:
 * nothing waits for the sums (some 20 µs of CPU time per visit). The differences of a link are independent of those of
 * other links. An interrupted recount is repeated, and finds only what is left.
 *
 * Nobody may move counts from row to row meanwhile: breakdowns and quarter hours are not folded, and no other recount runs.
 *
 * Lock order: each statement below writes one table, sorted by key, with the rows of all links last; it is a transaction
 * of its own, except for breakdowns, which only folds and recounts update.
 */
import { allLinks } from '@hopcount/shared/all-links.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'
import { addDays, addMinutes, addQuarters, setFirstAndLast } from './add-differences.ts'
import {
  dayDifferences,
  minuteDifferences,
  momentDifferences,
  quarterDifferences,
} from './day-differences.ts'
import { readKeptDays, sumOptions } from './kept-days.ts'
import { createRawDay, readRawDay, sumRawDay } from './raw-day.ts'
import { recountLock } from './recount-lock.ts'
import { replaceBreakdowns } from './replace-breakdowns.ts'

/** The number of corrected rows, by table. */
export interface RecountedDay {
  link_days: number
  link_breakdowns: number
  link_quarters: number
  link_minutes: number
  link_totals: number
}

export interface RecountOptions {
  /** Milliseconds since 1970. */
  now: number
  /** Change nothing if raw visits and counted visits differ in number: for a recount that nobody has asked for. */
  onlyClasses?: boolean
}

/**
 * Returns undefined if the day's raw visits have been retired, or with `onlyClasses` if visits differ in number.
 *
 * @param pool has three connections, and no limits that end a session while another one works
 */
export function recountDay(
  pool: Pool,
  day: number,
  { now, onlyClasses = false }: RecountOptions,
): Promise<RecountedDay | undefined> {
  const recount = async (snapshot: PoolClient): Promise<RecountedDay | undefined> => {
    const kept = await readKeptDays(snapshot)
    if (day < kept.rawVisitsFrom) return undefined
    const options = sumOptions(kept, day, now)
    await createRawDay(snapshot)
    await readRawDay(snapshot, day)
    await sumRawDay(snapshot, options)
    if (onlyClasses && (await visitsDiffer(snapshot, day))) return undefined
    return {
      link_days: await addDays(pool, dayDifferences(snapshot, day), day),
      link_breakdowns: await replaceBreakdowns(pool, snapshot, day),
      link_quarters: await addQuarters(pool, quarterDifferences(snapshot, day, options.bucketMs)),
      link_minutes:
        options.minutesFrom === undefined
          ? 0
          : await addMinutes(pool, minuteDifferences(snapshot, day, options.minutesFrom)),
      link_totals: await setFirstAndLast(pool, momentDifferences(snapshot, day)),
    }
  }
  // Tables that retention drops partitions of are locked before the snapshot is taken.
  return inTransaction(pool, recount, {
    isolation: 'REPEATABLE READ',
    first: 'LOCK TABLE visits, visitors, link_minutes IN ACCESS SHARE MODE',
  })
}

/**
 * Runs `recounts` while no other recount runs and nothing is folded. The session that holds these locks waits for others,
 * and must not be ended for that.
 */
export function whileNothingFolds<Result>(pool: Pool, recounts: () => Promise<Result>): Promise<Result> {
  const work = async (client: PoolClient) => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('${recountLock}'))`)
    return withoutFolds(client, recounts)
  }
  return inTransaction(pool, work, patient)
}

/** The same, or undefined at once if another recount runs. */
export function tryWhileNothingFolds<Result>(
  pool: Pool,
  recounts: () => Promise<Result>,
): Promise<Result | undefined> {
  const work = async (client: PoolClient) => {
    const lock = await client.query<{ alone: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtext('${recountLock}')) AS alone`,
    )
    return lock.rows[0]?.alone ? withoutFolds(client, recounts) : undefined
  }
  return inTransaction(pool, work, patient)
}

const patient = { first: 'SET LOCAL idle_in_transaction_session_timeout = 0' }

async function withoutFolds<Result>(client: PoolClient, recounts: () => Promise<Result>): Promise<Result> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('hopcount:fold-breakdowns'))`)
  return recounts()
}

async function visitsDiffer(snapshot: PoolClient, day: number): Promise<boolean> {
  const { rows } = await snapshot.query<{ differ: boolean }>(
    `SELECT EXISTS (
       SELECT FROM day_links AS raw
       FULL JOIN (SELECT * FROM link_days WHERE day = $1::date) AS stored USING (link_id)
       WHERE raw.visits IS DISTINCT FROM stored.visits
     ) OR NOT EXISTS (SELECT FROM link_days WHERE link_id = ${allLinks} AND day = $1::date) AS differ`,
    [dayText(day)],
  )
  return rows[0]?.differ ?? true
}
