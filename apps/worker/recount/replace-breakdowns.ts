/**
 * Replaces breakdowns that differ from those of raw visits. What recording has appended since the snapshot stays: only
 * the deltas that the snapshot shows are deleted, by their place, which is theirs until a fold deletes them, and nothing
 * folds meanwhile (recount-day.ts).
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { bigintArray } from '@hopcount/shared/database/binary-arrays.ts'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { Pool, PoolClient } from 'pg'
import { insertDeltas } from '../recording/add-to-aggregates.ts'
import { addDelta, noDeltas } from '../recording/sum-visits.ts'
import { differingBreakdowns } from './differing-breakdowns.ts'

const linksPerTransaction = 1_000

interface WantedBreakdowns {
  linkId: number
  /** Empty for a day without raw visits. */
  ofRawVisits: Breakdowns
}

/** Returns the number of links whose breakdowns were wrong. */
export async function replaceBreakdowns(pool: Pool, snapshot: PoolClient, day: number): Promise<number> {
  let wrong: WantedBreakdowns[] = await findLoose(snapshot, day)
  let replaced = 0
  const replace = async () => {
    await replaceSome(pool, snapshot, day, wrong)
    replaced += wrong.length
    wrong = []
  }
  for await (const { linkId, ofRawVisits } of differingBreakdowns(snapshot, day))
    if (wrong.push({ linkId, ofRawVisits }) >= linksPerTransaction) await replace()
  await replace()
  return replaced
}

async function findLoose(snapshot: PoolClient, day: number): Promise<WantedBreakdowns[]> {
  const { rows } = await snapshot.query<{ link_id: number }>(
    `SELECT link_id FROM link_breakdowns AS stored
     WHERE day = $1::date AND NOT EXISTS (SELECT FROM day_links WHERE day_links.link_id = stored.link_id)
     UNION
     SELECT link_id FROM breakdown_deltas AS stored
     WHERE day = $1::date AND NOT EXISTS (SELECT FROM day_links WHERE day_links.link_id = stored.link_id)`,
    [dayText(day)],
  )
  return rows.map(row => ({ linkId: row.link_id, ofRawVisits: new Map() }))
}

/** The correct values are inserted as deltas: the next fold lists the frequent ones and gives the others their rows. */
async function replaceSome(
  pool: Pool,
  snapshot: PoolClient,
  day: number,
  wanted: WantedBreakdowns[],
): Promise<void> {
  if (wanted.length === 0) return
  const links = [dayText(day), bigintArray(wanted.map(link => link.linkId))]
  const places = await snapshot.query<{ place: string }>(
    'SELECT ctid::text AS place FROM breakdown_deltas WHERE day = $1::date AND link_id = ANY ($2::bigint[])',
    links,
  )
  const deltas = noDeltas()
  for (const { linkId, ofRawVisits } of wanted)
    if (ofRawVisits.size > 0) addDelta(deltas, linkId, day, ofRawVisits)
  await inTransaction(pool, async client => {
    await client.query(
      'DELETE FROM breakdown_deltas WHERE ctid = ANY ($3::tid[]) AND day = $1::date AND link_id = ANY ($2::bigint[])',
      [...links, places.rows.map(row => row.place)],
    )
    for (const table of ['link_breakdowns', 'breakdown_tails'] as const)
      await client.query(`DELETE FROM ${table} WHERE day = $1::date AND link_id = ANY ($2::bigint[])`, links)
    await insertDeltas(client, deltas)
  })
}
