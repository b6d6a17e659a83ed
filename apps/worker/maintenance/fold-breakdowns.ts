/**
 * Folds breakdown_deltas into link_breakdowns: one row read and written per link and day for many transactions.
 *
 * One transaction: deltas are deleted and the sums written together, so who reads both tables in one statement sees
 * every visit once. One worker at a time (advisory lock): nobody else writes link_breakdowns meanwhile.
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { storedText } from '@hopcount/shared/breakdowns.ts'
import { bigintArray } from '@hopcount/shared/database/binary-arrays.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'
import { addStoredText } from './add-stored-text.ts'

/**
 * A delta takes some 150 bytes as text, and some 2 kB while it is added up: so it stays a text until its link's turn.
 * Highest of a worker that recorded 1.2 million waiting visits of 200,000 links, as fast as it could: 242–253 MB; with 5,000
 * deltas 261–264, with 20,000 251–293, with 50,000, all added up at once, 316–450.
 */
const deltasPerTransaction = 2_000

/** Of one link and day: JSON of StoredBreakdowns. */
interface BreakdownsRow {
  link_id: number
  day: string
  breakdowns: string
}

interface DayDeltas {
  linkId: number
  day: string
  deltas: string[]
}

interface Key {
  linkId: number
  day: string
}

/**
 * Folds all deltas once through, in the order of links; those that come meanwhile for links that it has passed stay for
 * the next time. Once `stop` is aborted, only the transaction under way: others may record as fast as this folds.
 * Returns how many deltas went.
 */
export async function foldBreakdowns(pool: Pool, stop?: AbortSignal): Promise<number> {
  let folded = 0
  // Not from the beginning each time: the index would lead through all deltas deleted so far, which stay until vacuum.
  let from: Key = { linkId: 0, day: '-infinity' }
  for (;;) {
    const deltas = await foldOnce(pool, from)
    folded += deltas.length
    if (deltas.length < deltasPerTransaction || stop?.aborted) return folded
    from = lastKey(deltas)
  }
}

function foldOnce(pool: Pool, from: Key): Promise<BreakdownsRow[]> {
  return inTransaction(pool, async client => {
    const lock = await client.query<{ alone: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtext('hopcount:fold-breakdowns')) AS alone`,
    )
    const deltas = lock.rows[0]?.alone ? await takeDeltas(client, from) : []
    if (deltas.length > 0) await addToBreakdowns(client, groupByDay(deltas))
    return deltas
  })
}

async function takeDeltas(client: PoolClient, from: Key): Promise<BreakdownsRow[]> {
  const { rows } = await client.query<BreakdownsRow>({
    name: 'take-breakdown-deltas',
    // By link: all that have come for a link go into its row at once, however many transactions they are from.
    text: `DELETE FROM breakdown_deltas
           WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM breakdown_deltas
             WHERE (link_id, day) >= ($2::bigint, $3::date)
             ORDER BY link_id, day LIMIT $1
           ))
           RETURNING link_id, day, breakdowns::text AS breakdowns`,
    values: [deltasPerTransaction, from.linkId, from.day],
  })
  return rows
}

/** Deleted rows come in no order. */
function lastKey(rows: BreakdownsRow[]): Key {
  return rows
    .map(({ link_id: linkId, day }) => ({ linkId, day }))
    .reduce((last, key) =>
      key.linkId > last.linkId || (key.linkId === last.linkId && key.day > last.day) ? key : last,
    )
}

function groupByDay(rows: BreakdownsRow[]): DayDeltas[] {
  const days = new Map<string, DayDeltas>()
  for (const { link_id: linkId, day, breakdowns } of rows) {
    const known = days.get(dayKey(linkId, day))
    if (known === undefined) days.set(dayKey(linkId, day), { linkId, day, deltas: [breakdowns] })
    else known.deltas.push(breakdowns)
  }
  return [...days.values()]
}

async function addToBreakdowns(client: PoolClient, days: DayDeltas[]): Promise<void> {
  const linkIds = bigintArray(days.map(d => d.linkId))
  const dates = days.map(d => d.day)
  const { rows } = await client.query<BreakdownsRow>({
    name: 'read-link-breakdowns',
    text: `SELECT link_id, key.day, breakdowns::text AS breakdowns
           FROM unnest($1::bigint[], $2::date[]) AS key (link_id, day)
           JOIN link_breakdowns AS total USING (link_id)
           WHERE total.day = key.day`,
    values: [linkIds, dates],
  })
  const stored = new Map(rows.map(row => [dayKey(row.link_id, row.day), row.breakdowns]))
  const sums = days.map(({ linkId, day, deltas }) =>
    sumOf([...deltas, stored.get(dayKey(linkId, day)) ?? '{}']),
  )
  await client.query({
    name: 'write-link-breakdowns',
    text: `INSERT INTO link_breakdowns (link_id, day, breakdowns)
           SELECT link_id, day, breakdowns::json
           FROM unnest($1::bigint[], $2::date[], string_to_array($3, E'\\n')) AS sum (link_id, day, breakdowns)
           ON CONFLICT (link_id, day) DO UPDATE SET breakdowns = excluded.breakdowns`,
    values: [linkIds, dates, sums.join('\n')],
  })
}

function sumOf(texts: string[]): string {
  const sum: Breakdowns = new Map()
  for (const text of texts) addStoredText(sum, text)
  return storedText(sum)
}

function dayKey(linkId: number, day: string): string {
  return `${linkId} ${day}`
}
