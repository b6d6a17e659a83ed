import pg from 'pg'
import { listLifetimeMs } from '../../../apps/api/stats/shared-responses.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { pacedLoad } from '../paced-load.ts'
import { inTurn, summary } from '../rounds.ts'
import type { BenchApi, Services } from '../services.ts'
import { api, seed, startServices, withDatabase } from '../services.ts'
import { percentileOf } from '../summary.ts'

const pollers = 1_000
/** Longer than read-freshness.ts lets a request wait that follows another at once, which would be measured too. */
const pauseMs = 15
/** Sessions of PostgreSQL report their transactions within this time, see reportedTransactions. */
const reportedWithinMs = 11_000
/** A list that is requested again later than this is read again. */
const sharedMs = listLifetimeMs + 50

interface DataSet {
  api: BenchApi
  links: number
  services: Services
}

interface Sample {
  topUncached: number
  topCached: number
  linkUncached: number
  linkCached: number
  lastDay: number
  lastMonth: number
}

const questions: { name: keyof Sample; what: string; hasGoal: boolean }[] = [
  { name: 'topUncached', what: '/stats, from PostgreSQL', hasGoal: true },
  { name: 'linkUncached', what: '/stats/:slug, from PostgreSQL', hasGoal: true },
  { name: 'lastDay', what: '/stats?window=24h, from PostgreSQL', hasGoal: false },
  { name: 'lastMonth', what: '/stats?window=30d, from PostgreSQL', hasGoal: false },
  { name: 'topCached', what: '/stats, shared response', hasGoal: false },
  { name: 'linkCached', what: '/stats/:slug, shared response', hasGoal: false },
]

/** Statistics over a large data set compared with a small one, and many polling clients. */
export const stats: BenchPart = {
  title: '/stats and /stats/:slug over a large and a small data set, and 1,000 polling clients',
  async run(settings) {
    const { cores, links, visits, rounds } = settings
    const services = await startServices()
    const little = await dataSet(settings, services, 'little', Math.ceil(links / 50), Math.ceil(visits / 100))
    const much = await dataSet(settings, services, 'much', links, visits)
    pin(cores, cores.server, little.api.process.pid, much.api.process.pid)
    await measure(settings, little)
    await measure(settings, much)
    const samples = await inTurn(rounds, {
      little: () => measure(settings, little),
      much: () => measure(settings, much),
    })
    const polled = await inTurn(rounds, { much: () => poll(settings, much) })
    const median = (name: keyof Sample, of: Sample[]) => summary(of, sample => sample[name])
    const growth = (name: keyof Sample) =>
      median(name, samples.much).median / median(name, samples.little).median
    const describe = (set: DataSet, count: number) =>
      `${set.links.toLocaleString('en-US')} links, ${count.toLocaleString('en-US')} visits`
    return {
      goals: [
        ...questions
          .filter(question => question.hasGoal)
          .map(question => ({
            what: `${question.what}: large compared with small data set`,
            measured: growth(question.name),
            must: 'at most' as const,
            bound: 1.5,
            unit: '×' as const,
          })),
        {
          what: `${pollers} polling clients, p99`,
          measured: summary(polled.much, sample => sample.p99Ms).median,
          must: 'at most',
          bound: 20,
          unit: 'ms',
        },
        {
          what: `PostgreSQL queries/s meanwhile`,
          measured: summary(polled.much, sample => sample.queriesPerSecond).median,
          must: 'at most',
          // 100 read how fresh statistics are (read-freshness.ts), 2 the list (shared-responses.ts).
          bound: 110,
          unit: '/s',
        },
      ],
      tables: [
        {
          title: 'Latency in ms: median of each round, one request at a time',
          columns: [describe(little, Math.ceil(visits / 100)), describe(much, visits), 'large × small'],
          rows: questions.map(({ name, what }) => ({
            what,
            cells: [median(name, samples.little), median(name, samples.much), growth(name).toFixed(2)],
          })),
        },
        {
          title: `${pollers} connections, each requesting /stats once a second with If-None-Match`,
          columns: ['responses/s', 'p50 ms', 'p99 ms', '304 %', 'queries/s in PostgreSQL'],
          rows: [
            {
              what: describe(much, visits),
              cells: [
                summary(polled.much, sample => sample.perSecond),
                summary(polled.much, sample => sample.p50Ms),
                summary(polled.much, sample => sample.p99Ms),
                summary(polled.much, sample => (100 * (sample.statuses['304'] ?? 0)) / sample.answered),
                summary(polled.much, sample => sample.queriesPerSecond),
              ],
            },
          ],
        },
      ],
      plot: {
        title: 'Statistics from PostgreSQL, small and large data set',
        unit: 'ms',
        bars: questions
          .filter(question => question.hasGoal)
          .flatMap(({ name, what }) => [
            {
              label: `${what.replace(', from PostgreSQL', '')}, small`,
              value: median(name, samples.little),
            },
            { label: `${what.replace(', from PostgreSQL', '')}, large`, value: median(name, samples.much) },
          ]),
      },
      notes: [
        'Data created by `npm run seed`, over 30 days. API processes run on the server’s core, PostgreSQL on all cores, without concurrent redirects.',
        `From PostgreSQL: each request differs from those of the last ${sharedMs / 1_000} s, so that no response is shared: different slugs (drawn uniformly), different limits from 1 to 100, and pauses for windows. Shared: the same request repeated.`,
        'Queries: transactions counted by PostgreSQL in the database (pg_stat_database), minus those of an idle API in that time. All sessions had reported their counts before and after (10 s idle).',
      ],
    }
  },
}

async function dataSet(
  settings: BenchSettings,
  services: Services,
  name: string,
  links: number,
  visits: number,
): Promise<DataSet> {
  const own = await withDatabase(services, name)
  settings.say(`creating ${links} links and ${visits} visits`)
  await seed(own, links, visits)
  return { api: await api(own), links, services: own }
}

async function measure(settings: BenchSettings, { api: { origin }, links }: DataSet): Promise<Sample> {
  const sixthMs = (settings.seconds * 1_000) / 6
  const slug = () => `s${String(1 + Math.floor(Math.random() * links)).padStart(7, '0')}`
  const oneSlug = slug()
  let limit = 0
  const nextLimit = () => {
    limit = (limit % 100) + 1
    return limit
  }
  return {
    topUncached: await medianMs(sixthMs, pauseMs, () => `${origin}/stats?limit=${nextLimit()}`),
    topCached: await medianMs(sixthMs, pauseMs, () => `${origin}/stats`),
    linkUncached: await medianMs(sixthMs, pauseMs, () => `${origin}/stats/${slug()}`),
    linkCached: await medianMs(sixthMs, pauseMs, () => `${origin}/stats/${oneSlug}`),
    lastDay: await medianMs(sixthMs, sharedMs, () => `${origin}/stats?window=24h`),
    lastMonth: await medianMs(sixthMs, sharedMs, () => `${origin}/stats?window=30d`),
  }
}

/** Sends requests one after the other, with pauses, for that long and at least three times; the first one is ignored. */
async function medianMs(forMs: number, pauseMs: number, url: () => string): Promise<number> {
  const until = performance.now() + forMs
  const latencies: number[] = []
  while (performance.now() < until || latencies.length < 4) {
    const askedAt = performance.now()
    const response = await fetch(url())
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`statistics returned ${response.status}`)
    latencies.push(performance.now() - askedAt)
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  return percentileOf(latencies.slice(1), 50)
}

async function poll(settings: BenchSettings, { api: { origin, process }, services }: DataSet) {
  const etag = (await fetch(`${origin}/stats`)).headers.get('etag') ?? ''
  await endAutovacuum(services)
  await reportedTransactions()
  const before = await transactions(services)
  const startedAt = performance.now()
  const sample = await pacedLoad(
    {
      origin,
      paths: ['/stats'],
      headers: { 'if-none-match': etag },
      perSecond: pollers,
      seconds: settings.seconds + 1,
      warmUpSeconds: 1,
      connections: pollers,
      spin: false,
    },
    settings.cores,
    [process.pid],
  )
  const seconds = (performance.now() - startedAt) / 1_000
  await reportedTransactions()
  const polled = (await transactions(services)) - before
  // Those of the API’s timers, in a time without requests.
  await reportedTransactions()
  const idlePerMs = ((await transactions(services)) - before - polled) / reportedWithinMs
  const idle = idlePerMs * (seconds * 1_000 + reportedWithinMs)
  return { ...sample, queriesPerSecond: (polled - idle) / seconds }
}

/** Autovacuum's work after a seed would be counted as transactions of the database too. */
async function endAutovacuum({ pool, postgres }: Services): Promise<void> {
  const admin = new pg.Client({ connectionString: postgres.adminUrl })
  await admin.connect()
  await admin.query('ALTER SYSTEM SET autovacuum = off')
  await admin.query('SELECT pg_reload_conf()')
  await admin.end()
  await waitUntil(
    async () =>
      (await pool.query(`SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'`)).rowCount ===
      0,
    { what: 'autovacuum has ended', deadlineMs: 300_000 },
  )
}

/**
 * A session reports its transactions when one ends, at most once a second, and the remaining ones after 10 s of idling
 * (PGSTAT_MIN_INTERVAL and PGSTAT_IDLE_INTERVAL in PostgreSQL's pgstat.c). Queries of the previous measurement,
 * thousands a second, must not be counted in this one.
 */
function reportedTransactions(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, reportedWithinMs))
}

async function transactions({ pool }: Services): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    'SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()',
  )
  return Number(rows[0]?.count)
}
