import type { Pool } from 'pg'

/**
 * Replaces the gapless ledger rows 1…n of each producer by one watermark. Handles at most `maxRows` rows, and returns how
 * many were replaced.
 *
 * A batch that was set aside leaves no gap: the watermark passes it once it has been set aside for `passAfterSeconds`, and
 * its row in set_aside_batches says that it is not recorded. If it is recorded later, its ledger row is below the
 * watermark, and the next compaction adds it. Release 0.1 does not know set_aside_batches: its API processes put the file
 * of a rejected batch out of delivery within 11 s, before the watermark passes it; its workers leave the row in place when
 * they record the batch, so it is deleted here, together with the ledger row.
 *
 * It is one statement, so nobody sees the rows gone before the watermark is there. Only one compaction runs at a time
 * (advisory lock), and nobody else deletes a ledger row that others have seen, so no row is counted twice.
 */
export async function compactLedger(
  pool: Pool,
  { maxRows = 50_000, passAfterSeconds = 30 } = {},
): Promise<number> {
  const result = await pool.query<{ removed: number }>({
    name: 'compact-ledger',
    text: `
      WITH only_one AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('hopcount:compact-ledger')) AS alone),
      batch AS (
        SELECT producer_id, seq FROM ledger
        UNION ALL
        SELECT producer_id, seq FROM set_aside_batches AS aside
        WHERE set_aside_at < now() - make_interval(secs => $2)
          AND NOT EXISTS (SELECT FROM ledger WHERE ledger.producer_id = aside.producer_id AND ledger.seq = aside.seq)
      ),
      candidate AS (
        SELECT batch.producer_id, batch.seq, coalesce(mark.seq, 0)
                 + row_number() OVER (PARTITION BY batch.producer_id ORDER BY batch.seq) AS gapless_seq
        FROM only_one, batch LEFT JOIN ledger_watermarks AS mark USING (producer_id)
        WHERE only_one.alone AND batch.seq > coalesce(mark.seq, 0)
      ),
      passed AS (
        SELECT producer_id, seq FROM candidate WHERE seq = gapless_seq
        UNION ALL
        SELECT producer_id, ledger.seq
        FROM only_one, ledger JOIN ledger_watermarks AS mark USING (producer_id)
        WHERE only_one.alone AND ledger.seq <= mark.seq
        ORDER BY producer_id, seq LIMIT $1
      ),
      removed AS (
        DELETE FROM ledger USING passed
        WHERE ledger.producer_id = passed.producer_id AND ledger.seq = passed.seq
        RETURNING ledger.producer_id, ledger.seq, ledger.counted
      ),
      recorded_after_all AS (
        DELETE FROM set_aside_batches AS aside USING removed
        WHERE aside.producer_id = removed.producer_id AND aside.seq = removed.seq
      ),
      raised AS (
        INSERT INTO ledger_watermarks AS mark (producer_id, seq, visits)
        SELECT producer_id, max(passed.seq), coalesce(sum(counted), 0)
        FROM passed LEFT JOIN removed USING (producer_id, seq)
        GROUP BY producer_id ORDER BY producer_id
        ON CONFLICT (producer_id) DO UPDATE SET seq = greatest(mark.seq, excluded.seq), visits = mark.visits + excluded.visits
      )
      SELECT count(*) AS removed FROM removed`,
    values: [maxRows, passAfterSeconds],
  })
  return Number(result.rows[0]?.removed ?? 0)
}
