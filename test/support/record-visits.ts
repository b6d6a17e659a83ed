/** Records batches of visits as a worker does, without a queue. */
import type { Pool } from 'pg'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import type { BatchId } from '../../apps/shared/visits/visit-batch.ts'
import { describeVisits } from '../../apps/worker/recording/describe/describe-visits.ts'
import type { Recorded } from '../../apps/worker/recording/record-batches.ts'
import { recordBatches as record } from '../../apps/worker/recording/record-batches.ts'
import { createVisitColumns } from '../../apps/worker/recording/visit-columns.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'

export interface VisitBatch extends BatchId {
  visits: DecodedVisit[]
}

/** For visits of fixed dates, which a worker would bound some years from now (bound-times.ts). */
export const anyTime = async () => ({ from: 0, to: Number.MAX_SAFE_INTEGER })

/** In one transaction. */
export async function recordBatches(
  pool: Pool,
  knowledge: VisitKnowledge,
  batches: VisitBatch[],
): Promise<Recorded> {
  const { findCountry, salts, timeBounds } = knowledge
  const incarnation = knowledge.database.incarnation()
  const columns = createVisitColumns()
  const describeWith = { findCountry, salts: await salts(), bounds: await timeBounds() }
  const described = batches.map(({ producerId, seq, visits }) => {
    const begin = columns.length
    describeVisits(columns, visits, describeWith)
    return { producerId, seq, begin, end: columns.length }
  })
  return record(pool, knowledge, incarnation, columns, described)
}
