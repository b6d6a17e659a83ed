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
 * It reads the rows that it removes and a few index entries per producer, but not the rows behind a gap: 0.3 s with
 * 10 million of these from 1,000 producers, and 26 s before. LATERAL and LIMIT keep the planner from joining whole tables.
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
      WITH RECURSIVE only_one AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('hopcount:compact-ledger')) AS alone),
      in_ledger (producer_id) AS (
        (SELECT producer_id FROM only_one, ledger WHERE alone ORDER BY producer_id LIMIT 1)
        UNION ALL
        SELECT next.producer_id
        FROM in_ledger CROSS JOIN LATERAL (
          SELECT producer_id FROM ledger WHERE ledger.producer_id > in_ledger.producer_id ORDER BY producer_id LIMIT 1
        ) AS next
      ),
      aside AS MATERIALIZED (
        SELECT producer_id, seq FROM only_one, set_aside_batches AS aside
        WHERE alone AND set_aside_at < now() - make_interval(secs => $2)
          AND NOT EXISTS (SELECT FROM ledger WHERE ledger.producer_id = aside.producer_id AND ledger.seq = aside.seq)
      ),
      producer AS MATERIALIZED (
        SELECT producer_id, coalesce(mark.seq, 0) AS mark
        FROM (SELECT producer_id FROM in_ledger UNION SELECT producer_id FROM aside) AS known
        LEFT JOIN LATERAL (
          SELECT seq FROM ledger_watermarks WHERE ledger_watermarks.producer_id = known.producer_id LIMIT 1
        ) AS mark ON true
      ),
      passed AS MATERIALIZED (
        SELECT producer_id, seq, place
        FROM producer CROSS JOIN LATERAL (
          SELECT seq, place, mark + row_number() OVER (ORDER BY seq) AS gapless_seq
          FROM (
            SELECT seq, ctid AS place FROM ledger
            WHERE ledger.producer_id = producer.producer_id AND seq > mark
            UNION ALL
            SELECT seq, NULL FROM aside WHERE aside.producer_id = producer.producer_id AND seq > mark
            ORDER BY seq LIMIT $1
          ) AS waiting
          WHERE EXISTS (SELECT FROM ledger WHERE ledger.producer_id = producer.producer_id AND ledger.seq = mark + 1)
             OR EXISTS (SELECT FROM aside WHERE aside.producer_id = producer.producer_id AND aside.seq = mark + 1)
        ) AS batch
        WHERE seq = gapless_seq
        UNION ALL
        SELECT producer_id, seq, place
        FROM producer CROSS JOIN LATERAL (
          SELECT seq, ctid AS place FROM ledger
          WHERE ledger.producer_id = producer.producer_id AND seq <= mark ORDER BY seq LIMIT $1
        ) AS recorded_late
        ORDER BY producer_id, seq LIMIT $1
      ),
      removed AS (
        -- A row that voidBatch() moves at this moment may be missed: the next compaction finds it below the watermark.
        DELETE FROM ledger WHERE ctid = ANY (ARRAY(SELECT place FROM passed WHERE place IS NOT NULL))
        RETURNING producer_id, seq, counted
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
