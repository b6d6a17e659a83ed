import { expect, test } from 'vitest'
import { retireCredentials } from '../../apps/worker/maintenance/retention/retire-credentials.ts'
import { openPool } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

test('sessions that have expired and responses that are not sent again are removed, and no others', async () => {
  const pool = openPool((await createTestDatabase()).url)
  await pool.query(
    `INSERT INTO sessions (hash, key_id, expires_at)
     SELECT sha256(n::text::bytea), 1, now() + (n - 1500) * interval '1 minute' + interval '30 seconds'
     FROM generate_series(1, 1502) AS n`,
  )
  await pool.query(
    `INSERT INTO idempotency_keys (owner, hash, request_hash, response, created_at)
     SELECT 0, sha256(n::text::bytea), '', '', now() - interval '24 hours' + (n - 3) * interval '1 minute' + interval '30 seconds'
     FROM generate_series(1, 5) AS n`,
  )
  expect(await retireCredentials(pool)).toBe(1_499 + 2)
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM sessions)::int AS sessions, (SELECT count(*) FROM idempotency_keys)::int AS responses`,
  )
  expect(rows).toEqual([{ sessions: 3, responses: 3 }])
})
