/** For parts that are tried on a database that loses nothing: every epoch is the one that is known. */
import type { Pool } from 'pg'
import type { DatabaseWatch } from '../../apps/api/watch-database.ts'
import { beginEpoch } from '../../apps/shared/database/database-epoch.ts'

export async function epochOf(
  pool: Pool,
): Promise<Pick<DatabaseWatch, 'epoch' | 'check' | 'commitsAreMissing'>> {
  const epoch = await beginEpoch(pool)
  return { epoch: () => epoch, check: async () => {}, commitsAreMissing: async () => {} }
}
