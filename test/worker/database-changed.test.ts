/** What a worker remembers of a database does not reach another one: one that has lost commits, and gives numbers again. */
import type { Pool } from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { beginEpoch, readDatabaseState } from '../../apps/shared/database/database-epoch.ts'
import { DatabaseChanged } from '../../apps/worker/recording/known-database.ts'
import type { VisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

let url: string
let pool: Pool
beforeEach(async () => {
  url = (await createTestDatabase()).url
  pool = openPool(url)
})

let seq = 0
function record(knowledge: VisitKnowledge, userAgent: string) {
  const visits = [1, 2].map(linkId => ({
    linkId,
    visitedAt: Date.now(),
    referrer: undefined,
    userAgent,
    address: '203.0.113.1',
  }))
  return recordBatches(pool, knowledge, [{ producerId: newProducerId(), seq: ++seq, visits }])
}

/** The texts numbered so far are lost, and others get their numbers. */
async function loseTexts(): Promise<void> {
  await pool.query('TRUNCATE texts RESTART IDENTITY')
  await pool.query(`INSERT INTO texts (text) SELECT 'another text ' || i FROM generate_series(1, 50) AS i`)
}

async function recordedAgents(): Promise<string[]> {
  const { rows } = await pool.query<{ agent: string }>(
    `SELECT DISTINCT coalesce(text, user_agent) AS agent FROM visits LEFT JOIN texts ON id = user_agent_id ORDER BY 1`,
  )
  return rows.map(row => row.agent)
}

test('numbers of texts are not used in an epoch other than theirs, and are read again after that', async () => {
  const knowledge = await openVisitKnowledge(pool)
  await record(knowledge, 'Browser/1')
  await loseTexts()
  await pool.query('TRUNCATE visits')
  await beginEpoch(pool, (await readDatabaseState(pool)).epoch)
  await expect(record(knowledge, 'Browser/1')).rejects.toThrow(DatabaseChanged)
  expect(await recordedAgents()).toEqual([])
  await knowledge.forget()
  await record(knowledge, 'Browser/1')
  expect(await recordedAgents()).toEqual(['Browser/1'])
})

test('a salt that another database has replaced makes no hashes any more', async () => {
  const knowledge = await openVisitKnowledge(pool)
  const before = await knowledge.salts()
  await pool.query(`UPDATE visitor_salts SET salt = sha256(salt)`)
  await beginEpoch(pool, (await readDatabaseState(pool)).epoch)
  await expect(record(knowledge, 'Browser/1')).rejects.toThrow(DatabaseChanged)
  await knowledge.forget()
  expect(await knowledge.salts()).not.toEqual(before)
})

test('an epoch is begun once by any number of processes, and passes over link ids that may be in use', async () => {
  const lastId = async () =>
    (await pool.query<{ id: number }>(`SELECT nextval(pg_get_serial_sequence('links', 'id')) AS id`)).rows[0]
      ?.id ?? 0
  await beginEpoch(pool)
  const before = await lastId()
  await pool.query(`UPDATE database_epoch SET identity = 'the lost primary'`)
  expect((await readDatabaseState(pool)).epoch).toBeUndefined()
  const epochs = await Promise.all([1, 2, 3, 4].map(() => beginEpoch(pool)))
  expect(new Set(epochs).size).toBe(1)
  expect((await readDatabaseState(pool)).epoch).toBe(epochs[0])
  expect((await lastId()) - before).toBeGreaterThan(1_000_000)
  expect((await lastId()) - before).toBeLessThan(2_000_000)
})

describe('running processes', { timeout: 120_000 }, () => {
  test('count with the right user agents, and make links that are no others', async () => {
    const api = await startApi({ databaseUrl: url })
    const worker = await startWorker({ databaseUrl: url })
    const lost = await shorten(api.origin)
    const slug = await shorten(api.origin)
    for (let i = 0; i < 3; i++) await visit(api.origin, slug, { 'user-agent': 'Browser/1' })
    await visit(api.origin, lost)
    await waitForVisits(api.origin, slug, 3)
    await waitForVisits(api.origin, lost, 1)
    const { rows } = await pool.query<{ id: number }>('DELETE FROM links WHERE slug = $1 RETURNING id', [
      lost,
    ])
    await loseTexts()
    await pool.query(`UPDATE visits SET user_agent_id = NULL, user_agent = 'before'`)
    await pool.query(`SELECT setval(pg_get_serial_sequence('links', 'id'), 1)`)
    await pool.query(`UPDATE database_epoch SET identity = 'the lost primary'`)
    // At once, before anybody has noticed by a look of its own.
    const made = await shorten(api.origin)
    const next = await pool.query<{ id: number }>('SELECT id FROM links WHERE slug = $1', [made])
    expect(next.rows[0]?.id).toBeGreaterThan(rows[0]?.id ?? Number.POSITIVE_INFINITY)
    for (let i = 0; i < 3; i++) await visit(api.origin, slug, { 'user-agent': 'Browser/1' })
    await waitForVisits(api.origin, slug, 6)
    expect(await recordedAgents()).toEqual(['Browser/1', 'before'])
    await waitUntil(
      async () => (await fetch(`${api.origin}/${lost}`, { redirect: 'manual' })).status === 404,
      {
        what: 'the lost link is forgotten',
      },
    )
    await worker.waitForLine(/read again/)
  })

  test('say how many batches are lost that they have not kept, and the watermark passes them', async () => {
    const api = await startApi({ databaseUrl: url, env: { SPOOL_KEEP_SECONDS: '0' } })
    await startWorker({ databaseUrl: url })
    const slug = await shorten(api.origin)
    for (let visits = 1; visits <= 4; visits++) {
      await visit(api.origin, slug)
      await waitForVisits(api.origin, slug, visits)
    }
    // Compaction may have replaced rows by a watermark.
    await pool.query('DELETE FROM ledger')
    await pool.query('UPDATE ledger_watermarks SET seq = least(seq, 1)')
    await pool.query(`UPDATE database_epoch SET identity = 'the lost primary'`)
    await api.process.waitForLine(/visits are lost: the database has lost batches/)
    await visit(api.origin, slug)
    await waitUntil(
      async () => {
        const { rows } = await pool.query<{ seq: number }>('SELECT seq FROM ledger_watermarks')
        return (rows[0]?.seq ?? 0) > 4
      },
      { what: 'the watermark passes what is lost', deadlineMs: 60_000 },
    )
  })
})
