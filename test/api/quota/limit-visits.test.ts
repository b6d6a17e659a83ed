/** max_visits: never more redirects than a link allows, and all that it allows, however many processes redirect. */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import type { Quota } from '../../../apps/api/quota/limit-visits.ts'
import { createQuota } from '../../../apps/api/quota/limit-visits.ts'
import { beginEpoch, readDatabaseState } from '../../../apps/shared/database/database-epoch.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { openPool } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

let url: string
let pool: Pool
let processes: Process[]
beforeAll(async () => {
  url = (await createTestDatabase()).url
  pool = openPool(url)
  processes = await Promise.all([0, 1, 2].map(() => startProcess(openPool(url))))
})

interface Process {
  quota: Quota
  /** The process notices that the database has lost commits. */
  noticeEpoch: () => void
}

/** What one API process has. */
async function startProcess(ownPool: Pool): Promise<Process> {
  const epoch = (await readDatabaseState(pool)).epoch ?? ''
  let notice = (_epoch: string) => {}
  const watch = {
    epoch: () => epoch,
    onEpoch(listener: (epoch: string) => void) {
      notice = listener
    },
  }
  const quota = createQuota({ pool: ownPool, watch, log: openLog({ name: 'test', level: 'silent' }) })
  return { quota, noticeEpoch: () => notice(epoch) }
}

const quotaOf = (process: number): Quota => {
  const quota = processes[process]?.quota
  if (quota === undefined) throw new Error('no such process')
  return quota
}

async function limitedLink(maxVisits: number | null): Promise<{ id: number; maxVisits: number }> {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO links (slug, long_url, max_visits) VALUES (gen_random_uuid()::text, 'https://example.com/', $1) RETURNING id`,
    [maxVisits],
  )
  return { id: Number(rows[0]?.id), maxVisits: maxVisits ?? 0 }
}

async function changeLimit(id: number, maxVisits: number | null): Promise<void> {
  await pool.query('UPDATE links SET max_visits = $2 WHERE id = $1', [id, maxVisits])
}

async function countVisits(id: number, visits: number): Promise<void> {
  await pool.query(
    `INSERT INTO link_totals AS total (link_id, visits, first_visit, last_visit) VALUES ($1, $2, now(), now())
     ON CONFLICT (link_id) DO UPDATE SET visits = excluded.visits`,
    [id, visits],
  )
}

async function granted(id: number): Promise<number> {
  const { rows } = await pool.query<{ granted: number }>(
    'SELECT granted FROM link_quotas WHERE link_id = $1',
    [id],
  )
  return Number(rows[0]?.granted ?? 0)
}

/** How many of the requests passed. */
async function burst(
  quotas: Quota[],
  link: { id: number; maxVisits: number },
  requests: number,
): Promise<number> {
  const results = await Promise.all(
    Array.from({ length: requests }, async (_, request) => quotas[request % quotas.length]?.take(link)),
  )
  return results.filter(passes => passes === true).length
}

test('a burst over several processes passes exactly as often as the link allows', async () => {
  const quotas = [quotaOf(0), quotaOf(1), quotaOf(2)]
  for (const maxVisits of isNightly ? [1, 2, 15, 16, 100, 400, 499] : [1, 100]) {
    const link = await limitedLink(maxVisits)
    expect(await burst(quotas, link, 500)).toBe(maxVisits)
    expect(await burst(quotas, link, 30)).toBe(0)
    expect(await granted(link.id)).toBe(maxVisits)
  }
})

test('bursts for many links at once pass exactly as often as each allows', async () => {
  const links = await Promise.all(Array.from({ length: 20 }, (_, i) => limitedLink(i * 3)))
  const passed = await Promise.all(links.map(link => burst([quotaOf(0), quotaOf(1)], link, 80)))
  expect(passed).toEqual(links.map(link => link.maxVisits))
})

test('what a process reserved and does not use is returned, and passes elsewhere', async () => {
  const link = await limitedLink(1_000)
  expect(await quotaOf(0).take(link)).toBe(true)
  expect(await granted(link.id)).toBe(1 + Math.floor(999 / 16))
  expect(await burst([quotaOf(1)], link, 1_200)).toBe(999)
  expect(await granted(link.id)).toBe(1_000)
})

test('a process that ends returns what it did not use', async () => {
  const { quota } = await startProcess(openPool(url))
  const link = await limitedLink(1_000_000)
  await quota.take(link)
  expect(await granted(link.id)).toBe(257)
  await quota.close()
  expect(await granted(link.id)).toBe(1)
})

test('a redirect whose visit is not kept makes room for another', async () => {
  const link = await limitedLink(2)
  expect(await burst([quotaOf(0)], link, 2)).toBe(2)
  expect(await quotaOf(0).take(link)).toBe(false)
  quotaOf(0).putBack(link)
  expect(await quotaOf(0).take(link)).toBe(true)
  expect(await quotaOf(0).take(link)).toBe(false)
  quotaOf(0).putBack(link)
  await waitUntil(async () => (await granted(link.id)) === 1, { what: 'the place is returned' })
})

test('whether a link is exhausted can be asked without taking a visit', async () => {
  const link = await limitedLink(2)
  for (let i = 0; i < 3; i++) expect(await quotaOf(0).hasLeft(link)).toBe(true)
  expect(await granted(link.id)).toBe(0)
  expect(await burst([quotaOf(1)], link, 2)).toBe(2)
  expect(await quotaOf(0).hasLeft(link)).toBe(false)
  expect(await quotaOf(1).take(link)).toBe(false)
  expect(quotaOf(1).hasLeft(link)).toBe(false)
  const counted = await limitedLink(2)
  await countVisits(counted.id, 2)
  expect(await quotaOf(0).hasLeft(counted)).toBe(false)
})

test('visits from before the limit use it up', async () => {
  const link = await limitedLink(100)
  await countVisits(link.id, 90)
  expect(await burst([quotaOf(0), quotaOf(1)], link, 50)).toBe(10)
  const lowered = await limitedLink(5)
  await countVisits(lowered.id, 7)
  expect(await burst([quotaOf(0)], lowered, 5)).toBe(0)
})

test('visits while the link had no limit use up the one it has later', async () => {
  const link = await limitedLink(100)
  expect(await burst([quotaOf(0)], link, 10)).toBe(10)
  await waitUntil(async () => (await granted(link.id)) === 10, { what: 'unused places are returned' })
  await countVisits(link.id, 60)
  expect(await burst([quotaOf(0), quotaOf(1)], link, 80)).toBe(40)
})

test('a raised limit is used, a lowered one is kept to, and a removed one ends', async () => {
  const { id } = await limitedLink(10)
  const limited = (maxVisits: number) => ({ id, maxVisits })
  const both = [quotaOf(0), quotaOf(1)]
  expect(await burst(both, limited(10), 20)).toBe(10)
  await changeLimit(id, 1_000)
  expect(await burst(both, limited(1_000), 40)).toBe(40)
  // Both processes still have places that were reserved under the former limit.
  await changeLimit(id, 60)
  expect(await burst(both, limited(60), 40)).toBe(10)
  await changeLimit(id, 30)
  expect(await burst(both, limited(30), 40)).toBe(0)
  await changeLimit(id, null)
  // The processes have not heard of it yet.
  expect(await burst(both, limited(31), 40)).toBe(40)
})

test('a reservation that is under way while the limit changes leaves nothing of the former limit', async () => {
  const { id } = await limitedLink(1_000)
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query('INSERT INTO link_quotas (link_id, granted) VALUES ($1, 0)', [id])
  const first = quotaOf(0).take({ id, maxVisits: 1_000 })
  await waitUntil(
    async () =>
      (
        await pool.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%reserve_visits%'`,
        )
      ).rowCount === 1,
    { what: 'the reservation waits' },
  )
  const second = quotaOf(0).take({ id, maxVisits: 2 })
  await client.query('COMMIT')
  client.release()
  expect(await first).toBe(true)
  await changeLimit(id, 2)
  expect(await second).toBe(true)
  expect(await burst([quotaOf(0)], { id, maxVisits: 2 }, 10)).toBe(0)
})

test('without PostgreSQL what is reserved is used, and then nobody passes', async () => {
  const proxy = await startTcpProxy({ port: Number(new URL(url).port) })
  const behindProxy = new URL(url)
  behindProxy.hostname = '127.0.0.1'
  behindProxy.port = String(proxy.port)
  const { quota } = await startProcess(openPool(behindProxy.href))
  const link = await limitedLink(320)
  expect(await quota.take(link)).toBe(true)
  proxy.setMode('reset')
  // Long enough for several attempts to return the 19 that are left.
  await sleep(1_000)
  for (let left = 19; left > 0; left--) expect(quota.take(link)).toBe(true)
  await expect(quota.take(link)).rejects.toThrow()
  proxy.setMode('pass')
  expect(await burst([quota, quotaOf(0)], link, 400)).toBe(300)
})

test('a place of which nobody knows whether it was returned is not used again', async () => {
  const proxy = await startTcpProxy({ port: Number(new URL(url).port) })
  const behindProxy = new URL(url)
  behindProxy.hostname = '127.0.0.1'
  behindProxy.port = String(proxy.port)
  const { quota } = await startProcess(openPool(behindProxy.href))
  const link = await limitedLink(33)
  expect(await quota.take(link)).toBe(true)
  await proxy.setModeAt('return-places', 'drop-replies')
  await waitUntil(async () => (await granted(link.id)) === 1, { what: 'the place is returned' })
  proxy.setMode('reset')
  proxy.setMode('pass')
  expect(await burst([quota, quotaOf(0)], link, 60)).toBe(32)
})

test('what was reserved in a database that has lost commits is neither used nor returned', async () => {
  const [first, second] = [await startProcess(openPool(url)), await startProcess(openPool(url))]
  const link = await limitedLink(160)
  expect([await first.quota.take(link), await second.quota.take(link)]).toEqual([true, true])
  await beginEpoch(pool, (await readDatabaseState(pool)).epoch)
  await pool.query('UPDATE link_quotas SET granted = 3 WHERE link_id = $1', [link.id])
  await first.quota.close()
  expect(await granted(link.id)).toBe(3)
  second.noticeEpoch()
  expect(await burst([second.quota], link, 200)).toBe(157)
})

test('nothing is reserved, or lost, before a new epoch is noted', async () => {
  await pool.query(`UPDATE database_epoch SET identity = 'another'`)
  const link = await limitedLink(1)
  expect(await quotaOf(0).take(link)).toBe(true)
  expect(await quotaOf(0).take(link)).toBe(false)
})

test('a reservation is what waits or what is left, and a sixteenth of the rest ahead', async () => {
  const { id } = await limitedLink(1)
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('limit' as const),
      n: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 10 ** 12 })),
    }),
    fc.record({ kind: fc.constant('wait' as const), n: fc.integer({ min: 0, max: 300 }) }),
    fc.record({ kind: fc.constant('return' as const), n: fc.integer({ min: 0, max: 100 }) }),
    fc.record({ kind: fc.constant('count' as const), n: fc.integer({ min: 1, max: 100 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      await pool.query('TRUNCATE link_quotas, link_totals')
      let limit = 1
      let used = 0
      let visits = 0
      await changeLimit(id, limit)
      for (const { kind, n } of steps) {
        if (kind === 'limit') {
          limit = n
          await changeLimit(id, limit)
        } else if (kind === 'count') {
          visits += n
          await countVisits(id, visits)
        } else if (kind === 'return') {
          const places = Math.min(n, used)
          used -= places
          await pool.query('UPDATE link_quotas SET granted = granted - $2 WHERE link_id = $1', [id, places])
        } else {
          const { rows } = await pool.query<{ places: number; is_counted_up: boolean }>(
            'SELECT places, is_counted_up FROM reserve_visits(ARRAY[$1::bigint], ARRAY[$2::bigint])',
            [id, n],
          )
          const left = Math.max(limit - Math.max(used, visits), 0)
          const places = Math.min(left, n + Math.min(256, Math.floor(Math.max(left - n, 0) / 16)))
          expect(rows).toEqual([{ places, is_counted_up: visits >= limit }])
          if (places > 0) used = Math.max(used, visits) + places
          expect(await granted(id)).toBe(used)
        }
      }
    }),
    { numRuns: isNightly ? 1_000 : 50 },
  )
})

test('whatever requests, limits and ends of processes follow each other, no limit is exceeded', {
  timeout: isNightly ? 600_000 : 60_000,
}, async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('burst' as const),
        process: fc.nat(1),
        n: fc.integer({ min: 1, max: 60 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('raise' as const),
        process: fc.nat(1),
        n: fc.integer({ min: 1, max: 400 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('kill' as const), process: fc.nat(1), n: fc.constant(0) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('pause' as const),
        process: fc.nat(1),
        n: fc.integer({ min: 1, max: 3 }),
      }),
    },
  )
  const pools = [openPool(url), openPool(url)]
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.array(step, { maxLength: 12 }),
      async (first, steps) => {
        const link = await limitedLink(first)
        const living = await Promise.all(pools.map(startProcess))
        let passed = 0
        let killed = false
        const bursts: Promise<void>[] = []
        for (const { kind, process, n } of steps) {
          if (kind === 'raise') {
            link.maxVisits += n
            await changeLimit(link.id, link.maxVisits)
          } else if (kind === 'pause') await sleep(n)
          else if (kind === 'kill') {
            // Its requests are answered: places that it reserved and does not return are lost.
            await Promise.all(bursts)
            living[process] = await startProcess(pools[process] ?? pool)
            killed = true
          } else {
            const quotas = living.map(({ quota }) => quota).slice(process, process + 1)
            bursts.push(
              burst(quotas, { ...link }, n).then(more => {
                passed += more
              }),
            )
          }
        }
        await Promise.all(bursts)
        expect(passed).toBeLessThanOrEqual(link.maxVisits)
        passed += await burst(
          living.map(({ quota }) => quota),
          link,
          link.maxVisits - passed + 1,
        )
        if (killed) expect(passed).toBeLessThanOrEqual(link.maxVisits)
        else expect(passed).toBe(link.maxVisits)
      },
    ),
    { numRuns: isNightly ? 150 : 5 },
  )
})
