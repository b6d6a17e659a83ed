import type { Pool } from 'pg'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import type { DecodedVisit } from '../../apps/shared/visit-batch.ts'
import { recordBatches } from '../../apps/worker/record-batches.ts'
import { openVisitKnowledge } from '../../apps/worker/visit-knowledge.ts'

/** Records visits of any time as a worker does: statistics and ledger agree with them. */
export async function recordVisits(
  pool: Pool,
  slug: string,
  visits: Omit<DecodedVisit, 'linkId'>[],
): Promise<void> {
  const { rows } = await pool.query<{ id: number }>('SELECT id FROM links WHERE slug = $1', [slug])
  const linkId = Number(rows[0]?.id)
  await recordBatches(pool, await openVisitKnowledge(pool), [
    { producerId: newProducerId(), seq: 1, visits: visits.map(visit => ({ ...visit, linkId })) },
  ])
}

/** Visits at these times, without referrer and user agent. */
export function visitsAt(times: (number | string)[]): Omit<DecodedVisit, 'linkId'>[] {
  return times.map(time => ({
    visitedAt: new Date(time).getTime(),
    referrer: undefined,
    userAgent: undefined,
  }))
}
