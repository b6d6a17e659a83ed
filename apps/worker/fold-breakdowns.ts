/**
 * Folds breakdown_deltas into link_breakdowns: one row read and written per link and day for many transactions.
 *
 * One transaction: deltas are deleted and the sums written together, so who reads both tables in one statement sees
 * every visit once. One worker at a time (advisory lock): nobody else writes link_breakdowns meanwhile.
 */
import type { Breakdowns, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import { addStored, storedText } from '@hopcount/shared/breakdowns.ts'
import type { Pool, PoolClient } from 'pg'
import { bigintArray, integerArray } from './binary-arrays.ts'

/** A delta takes some 150 bytes as text, and some 2 kB while it is added up. */
const deltasPerTransaction = 50_000

interface DayBreakdowns {
  linkId: number
  day: number
  breakdowns: Breakdowns
}

interface StoredRow {
  link_id: number
  day: number
  breakdowns: StoredBreakdowns
}

/** Folds until nothing is left but what has come meanwhile; returns how many deltas went. */
export async function foldBreakdowns(pool: Pool): Promise<number> {
  let folded = 0
  for (;;) {
    const step = await foldOnce(pool)
    folded += step
    if (step < deltasPerTransaction) return folded
  }
}

async function foldOnce(pool: Pool): Promise<number> {
  const client = await pool.connect()
  let failed = true
  try {
    await client.query('BEGIN')
    const lock = await client.query<{ alone: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtext('hopcount:fold-breakdowns')) AS alone`,
    )
    const deltas = lock.rows[0]?.alone ? await takeDeltas(client) : []
    if (deltas.length > 0) await addToBreakdowns(client, sumDeltas(deltas))
    await client.query('COMMIT')
    failed = false
    return deltas.length
  } finally {
    if (failed) await client.query('ROLLBACK').catch(() => {})
    client.release(failed)
  }
}

async function takeDeltas(client: PoolClient): Promise<StoredRow[]> {
  const { rows } = await client.query<StoredRow>({
    name: 'take-breakdown-deltas',
    // By link: all that have come for a link go into its row at once, however many transactions they are from.
    text: `DELETE FROM breakdown_deltas
           WHERE ctid = ANY (ARRAY(SELECT ctid FROM breakdown_deltas ORDER BY link_id, day LIMIT $1))
           RETURNING link_id, day - '1970-01-01'::date AS day, breakdowns`,
    values: [deltasPerTransaction],
  })
  return rows
}

function sumDeltas(deltas: StoredRow[]): DayBreakdowns[] {
  const sums = new Map<string, DayBreakdowns>()
  for (const { link_id: linkId, day, breakdowns } of deltas) {
    const key = `${linkId} ${day}`
    let sum = sums.get(key)
    if (sum === undefined) {
      sum = { linkId, day, breakdowns: new Map() }
      sums.set(key, sum)
    }
    addStored(sum.breakdowns, breakdowns)
  }
  return [...sums.values()]
}

async function addToBreakdowns(client: PoolClient, days: DayBreakdowns[]): Promise<void> {
  const linkIds = bigintArray(days.map(d => d.linkId))
  const dayNumbers = integerArray(days.map(d => d.day))
  const { rows } = await client.query<StoredRow>({
    name: 'read-link-breakdowns',
    text: `SELECT link_id, key.day, breakdowns
           FROM unnest($1::bigint[], $2::integer[]) AS key (link_id, day)
           JOIN link_breakdowns AS total USING (link_id)
           WHERE total.day = '1970-01-01'::date + key.day`,
    values: [linkIds, dayNumbers],
  })
  const stored = new Map(rows.map(row => [`${row.link_id} ${row.day}`, row.breakdowns]))
  const texts = days.map(({ linkId, day, breakdowns }) => {
    addStored(breakdowns, stored.get(`${linkId} ${day}`) ?? {})
    return storedText(breakdowns)
  })
  await client.query({
    name: 'write-link-breakdowns',
    text: `INSERT INTO link_breakdowns (link_id, day, breakdowns)
           SELECT link_id, '1970-01-01'::date + day, breakdowns::json
           FROM unnest($1::bigint[], $2::integer[], string_to_array($3, E'\\n')) AS sum (link_id, day, breakdowns)
           ON CONFLICT (link_id, day) DO UPDATE SET breakdowns = excluded.breakdowns`,
    values: [linkIds, dayNumbers, texts.join('\n')],
  })
}
