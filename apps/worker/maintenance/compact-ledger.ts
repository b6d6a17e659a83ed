import type { Pool } from 'pg'

/**
 * Replaces the gapless ledger rows 1…n of each producer by one watermark. Handles at most `maxRows` rows, and returns how
 * many were replaced.
 *
 * It is one statement, so nobody sees the rows gone before the watermark is there. Only one compaction runs at a time
 * (advisory lock), and it deletes only rows that the same statement has locked, so no row is counted twice.
 */
export async function compactLedger(pool: Pool, maxRows = 50_000): Promise<number> {
  const result = await pool.query<{ removed: number }>({
    name: 'compact-ledger',
    text: `
      WITH only_one AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('hopcount:compact-ledger')) AS alone),
      candidate AS (
        SELECT ledger.producer_id, ledger.seq, coalesce(mark.seq, 0)
                 + row_number() OVER (PARTITION BY ledger.producer_id ORDER BY ledger.seq) AS gapless_seq
        FROM only_one, ledger LEFT JOIN ledger_watermarks mark USING (producer_id)
        WHERE only_one.alone AND ledger.seq > coalesce(mark.seq, 0)
      ),
      removed AS (
        DELETE FROM ledger USING (SELECT producer_id, seq FROM candidate WHERE seq = gapless_seq ORDER BY producer_id, seq LIMIT $1) AS gapless
        WHERE ledger.producer_id = gapless.producer_id AND ledger.seq = gapless.seq
        RETURNING ledger.producer_id, ledger.seq, ledger.counted
      ),
      raised AS (
        INSERT INTO ledger_watermarks AS mark (producer_id, seq, visits)
        SELECT producer_id, max(seq), sum(counted) FROM removed GROUP BY producer_id ORDER BY producer_id
        ON CONFLICT (producer_id) DO UPDATE SET seq = excluded.seq, visits = mark.visits + excluded.visits
      )
      SELECT count(*) AS removed FROM removed`,
    values: [maxRows],
  })
  return Number(result.rows[0]?.removed ?? 0)
}
