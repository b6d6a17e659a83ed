/**
 * Folds breakdown_deltas into link_breakdowns: one row read and written per link and day for many transactions.
 *
 * One transaction: deltas are deleted and sums written together, so whoever reads all three tables in one snapshot sees
 * every visit once. One worker at a time (advisory lock): nobody else writes link_breakdowns or breakdown_tails.
 *
 * Nothing is lost however slowly a value arrives: a value that a row does not list is taken out of breakdown_tails,
 * added up, and goes back only if it is still not among the most frequent ones (cut-breakdowns.ts).
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import {
  addCount,
  isOpenValue,
  listedValues,
  openDimensions,
  otherKey,
  storedText,
} from '@hopcount/shared/breakdowns.ts'
import { bigintArray } from '@hopcount/shared/database/binary-arrays.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool, PoolClient } from 'pg'
import { addStoredText } from './add-stored-text.ts'
import type { TailKeys } from './breakdown-tails.ts'
import { insertTails, takeFromTails } from './breakdown-tails.ts'
import { cutOpenValues, needsCut } from './cut-breakdowns.ts'

/**
 * A delta takes some 150 bytes as text, and some 2 kB while it is added up: so it stays a text until its link's turn.
 * Highest of a worker that recorded 1.2 million waiting visits of 200,000 links, as fast as it could: 242–253 MB; with 5,000
 * deltas 261–264, with 20,000 251–293, with 50,000, all added up at once, 316–450.
 */
const deltasPerTransaction = 2_000
/** Deltas full of made-up values are larger: up to 100 kB. */
const bytesPerTransaction = 4_000_000
/** Rows read and written by a statement: a row full of made-up values has up to 100 kB, too. */
const daysPerStatement = 500

/** Of one link and day: JSON of StoredBreakdowns. */
interface BreakdownsRow {
  link_id: number
  day: string
  breakdowns: string
}

interface Key {
  linkId: number
  day: string
}

interface DayDeltas extends Key {
  deltas: string[]
}

/**
 * Folds all deltas once through, in the order of links; those that come meanwhile for links that it has passed stay for
 * the next time. Once `stop` is aborted, only the transaction under way: others may record as fast as this folds.
 * Returns how many deltas were folded.
 */
export async function foldBreakdowns(pool: Pool, stop?: AbortSignal): Promise<number> {
  let folded = 0
  // Not from the beginning each time: the index would lead through all deltas deleted so far, which stay until vacuum.
  let from: Key = { linkId: 0, day: '-infinity' }
  for (;;) {
    const deltas = await foldOnce(pool, from)
    folded += deltas.length
    if (!isFull(deltas) || stop?.aborted) return folded
    from = lastKey(deltas)
  }
}

/** Whether there may be more than these. */
function isFull(deltas: BreakdownsRow[]): boolean {
  if (deltas.length === deltasPerTransaction) return true
  return deltas.reduce((sum, { breakdowns }) => sum + Buffer.byteLength(breakdowns), 0) >= bytesPerTransaction
}

function foldOnce(pool: Pool, from: Key): Promise<BreakdownsRow[]> {
  return inTransaction(pool, async client => {
    const lock = await client.query<{ alone: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtext('hopcount:fold-breakdowns')) AS alone`,
    )
    const deltas = lock.rows[0]?.alone ? await takeDeltas(client, from) : []
    const days = groupByDay(deltas)
    for (let next = 0; next < days.length; next += daysPerStatement)
      await addToBreakdowns(client, days.slice(next, next + daysPerStatement))
    return deltas
  })
}

async function takeDeltas(client: PoolClient, from: Key): Promise<BreakdownsRow[]> {
  const { rows } = await client.query<BreakdownsRow>({
    name: 'take-breakdown-deltas',
    // By link: all that have come for a link go into its row at once, however many transactions they are from.
    text: `DELETE FROM breakdown_deltas
           WHERE ctid = ANY (ARRAY(
             SELECT place FROM (
               SELECT place, sum(bytes) OVER (ORDER BY link_id, day ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
               FROM (
                 SELECT ctid AS place, link_id, day, octet_length(breakdowns::text) AS bytes FROM breakdown_deltas
                 WHERE (link_id, day) >= ($2::bigint, $3::date)
                 ORDER BY link_id, day LIMIT $1
               ) AS next
             ) AS sized WHERE bytes_before < $4
           ))
           RETURNING link_id, day, breakdowns::text AS breakdowns`,
    values: [deltasPerTransaction, from.linkId, from.day, bytesPerTransaction],
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
  const stored = await readBreakdowns(client, days)
  const texts: string[] = []
  const uncut: UncutDay[] = []
  for (const [row, { linkId, day, deltas }] of days.entries()) {
    const text = stored.get(dayKey(linkId, day))
    const sum: Breakdowns = new Map()
    if (text !== undefined) addStoredText(sum, text)
    const listed = hasTail(sum) ? new Set(sum.keys()) : undefined
    for (const delta of deltas) addStoredText(sum, delta)
    // Rare: all others are texts again at once.
    if (listed !== undefined || needsCut(sum)) uncut.push({ linkId, day, row, sum, listed })
    else texts[row] = storedText(sum)
  }
  if (uncut.length > 0) await cutDays(client, uncut)
  for (const { row, sum } of uncut) texts[row] = storedText(sum)
  await writeBreakdowns(client, days, texts)
}

interface UncutDay extends Key {
  /** Its place among the texts. */
  row: number
  sum: Breakdowns
  /** Keys of the stored row, where it has others that it does not list. */
  listed: Set<string> | undefined
}

function hasTail(breakdowns: Breakdowns): boolean {
  return openDimensions.some(dimension => breakdowns.has(otherKey(dimension)))
}

async function cutDays(client: PoolClient, days: UncutDay[]): Promise<void> {
  const { rows } = await client.query<{ day: string }>('SELECT raw_visits_from AS day FROM retention')
  // As text: '-infinity' comes before every date.
  const tailsFrom = rows[0]?.day ?? '-infinity'
  await addTails(client, days)
  const tails = days.map(({ linkId, day, sum }) => ({
    linkId,
    day,
    isKept: day >= tailsFrom,
    values: cutOpenValues(sum, day >= tailsFrom),
  }))
  await insertTails(
    client,
    tails.filter(tail => tail.isKept),
  )
}

/** Adds what the tails hold of values that have come and are not listed. */
async function addTails(client: PoolClient, days: UncutDay[]): Promise<void> {
  const wanted: TailKeys = { linkIds: [], days: [], keys: [] }
  for (const { linkId, day, sum, listed } of days) {
    if (listed === undefined) continue
    for (const key of sum.keys()) {
      if (listed.has(key) || !openDimensions.some(dimension => isOpenValue(key, dimension))) continue
      wanted.linkIds.push(linkId)
      wanted.days.push(day)
      wanted.keys.push(key)
    }
  }
  const sums = new Map(days.map(({ linkId, day, sum }) => [dayKey(linkId, day), sum]))
  for (const { link_id, day, key, visits, humans } of await takeFromTails(client, wanted)) {
    const sum = sums.get(dayKey(link_id, day))
    if (sum === undefined) continue
    addCount(sum, key, visits, humans)
    // Out of the sum of others: cutOpenValues() puts back what does not become listed.
    addCount(sum, `${key.charAt(0)}*`, -visits, -humans)
  }
}

async function readBreakdowns(client: PoolClient, days: Key[]): Promise<Map<string, string>> {
  const { rows } = await client.query<BreakdownsRow>({
    name: 'read-link-breakdowns',
    text: `SELECT link_id, key.day, breakdowns::text AS breakdowns
           FROM unnest($1::bigint[], $2::date[]) AS key (link_id, day)
           JOIN link_breakdowns AS total USING (link_id)
           WHERE total.day = key.day`,
    values: keyColumns(days),
  })
  return new Map(rows.map(row => [dayKey(row.link_id, row.day), row.breakdowns]))
}

async function writeBreakdowns(client: PoolClient, days: Key[], texts: string[]): Promise<void> {
  await client.query({
    name: 'write-link-breakdowns',
    text: `INSERT INTO link_breakdowns (link_id, day, breakdowns, listed)
           SELECT link_id, day, breakdowns::json, ${listedValues}
           FROM unnest($1::bigint[], $2::date[], string_to_array($3, E'\\n')) AS sum (link_id, day, breakdowns)
           ON CONFLICT (link_id, day) DO UPDATE SET breakdowns = excluded.breakdowns, listed = excluded.listed`,
    values: [...keyColumns(days), texts.join('\n')],
  })
}

function keyColumns(days: Key[]): [Buffer, string[]] {
  return [bigintArray(days.map(d => d.linkId)), days.map(d => d.day)]
}

function dayKey(linkId: number, day: string): string {
  return `${linkId} ${day}`
}
