/**
 * A load generator that tracks every request, and an oracle for the counts.
 *
 * Every GET carries a unique id in `Referer` and is never retried. After the load, once everything has recovered:
 * answered ⊆ counted ⊆ attempted, nothing is counted twice, and nothing that was refused is counted.
 */
import { Agent, request } from 'node:http'
import type { Pool } from 'pg'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { waitUntil } from './wait-until.ts'

export interface Load {
  /** The host with which all its ids begin. */
  host: string
  /** Ids of requests whose 307 was read completely. */
  answered: Set<string>
  /** Ids of requests that certainly got no redirect: 4xx, 5xx, connection refused. */
  refused: Set<string>
  /** Ids of requests with an unknown outcome: reset, timeout. */
  unknown: Set<string>
  /** Latencies of the `answered` requests, in milliseconds. */
  latencies: number[]
  /** Ends the load and waits for requests in flight. */
  stop(): Promise<void>
}

const requestDeadlineMs = 5_000
let loads = 0

/** Starts `connections` clients, each of which follows links one after the other until stop(). The origin may change. */
export function startLoad(options: {
  origin: () => string
  slugs: string[]
  connections?: number
  pauseMs?: number
  /** While true, no new request is sent. */
  isPaused?: () => boolean
}): Load {
  const { origin, slugs, connections = 8, pauseMs = 0, isPaused = () => false } = options
  const host = `load${process.pid}-${++loads}.test`
  const load = {
    answered: new Set<string>(),
    refused: new Set<string>(),
    unknown: new Set<string>(),
    latencies: [] as number[],
  }
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let stopping = false
  let next = 0

  const clients = Array.from({ length: connections }, async () => {
    while (!stopping) {
      if (isPaused()) {
        await new Promise(resolve => setTimeout(resolve, 10))
        continue
      }
      const id = `http://${host}/${++next}`
      const slug = slugs[next % slugs.length] ?? ''
      const startedAt = performance.now()
      const outcome = await follow(agent, `${origin()}/${slug}`, id)
      load[outcome].add(id)
      if (outcome === 'answered') load.latencies.push(performance.now() - startedAt)
      // A refused connection fails immediately: without a pause the client would only count refusals.
      const pause = outcome === 'answered' ? pauseMs : 20
      if (pause > 0) await new Promise(resolve => setTimeout(resolve, pause))
    }
  })

  return {
    host,
    ...load,
    async stop() {
      stopping = true
      await Promise.all(clients)
      agent.destroy()
    },
  }
}

function follow(agent: Agent, url: string, id: string): Promise<'answered' | 'refused' | 'unknown'> {
  return new Promise(resolve => {
    const started = request(url, {
      agent,
      headers: { referer: id, 'user-agent': 'checker' },
      timeout: requestDeadlineMs,
    })
    started.on('response', response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 307 ? 'answered' : 'refused'))
      response.on('error', () => resolve('unknown'))
    })
    started.on('timeout', () => started.destroy(new Error('timeout')))
    started.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'unknown'),
    )
    started.end()
  })
}

export interface Verdict {
  answered: number
  unknown: number
  refused: number
  counted: number
  /** Answered but not counted. */
  lost: string[]
  /** Counted more than once. */
  twice: string[]
  /** Counted though refused, or never sent. */
  invented: string[]
  /** Aggregates or ledger entries that don't equal the raw visits. */
  differences: string[]
}

/** Compares these loads with the database. Visits of others are not checked one by one, but must add up too. */
export async function judge(pool: Pool, loads: Load[]): Promise<Verdict> {
  const counted = await countIds(pool, loads)
  const answered = union(loads.map(load => load.answered))
  const unknown = union(loads.map(load => load.unknown))
  const refused = union(loads.map(load => load.refused))
  const differences = await compareCounts(pool)
  return {
    answered: answered.size,
    unknown: unknown.size,
    refused: refused.size,
    counted: counted.size,
    lost: notIn(counted, answered),
    twice: [...counted].filter(([, times]) => times > 1).map(([id]) => id),
    invented: [...counted.keys()].filter(id => !answered.has(id) && !unknown.has(id)),
    differences: differences.map(
      difference => `${difference.what}: ${difference.expected} ≠ ${difference.found}`,
    ),
  }
}

/** The answered visits that are not counted yet. Costs far less than a verdict, which compares all tables. */
export async function findLost(pool: Pool, loads: Load[]): Promise<string[]> {
  return notIn(await countIds(pool, loads), union(loads.map(load => load.answered)))
}

/** How often each id of these loads is among the raw visits. */
async function countIds(pool: Pool, loads: Load[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; times: number }>(
    `SELECT coalesce(visits.referrer, texts.text) AS id, count(*)::int AS times
     FROM visits LEFT JOIN texts ON texts.id = visits.referrer_id
     WHERE split_part(coalesce(visits.referrer, texts.text), '/', 3) = ANY($1) GROUP BY 1`,
    [loads.map(load => load.host)],
  )
  return new Map(rows.map(row => [row.id, row.times]))
}

function notIn(counted: Map<string, number>, ids: Set<string>): string[] {
  return [...ids].filter(id => !counted.has(id))
}

/** The promise: nothing lost, nothing counted twice, nothing invented, and all counters agree. */
export function isExact(verdict: Verdict): boolean {
  return [verdict.lost, verdict.twice, verdict.invented, verdict.differences].every(list => list.length === 0)
}

/** Waits until every answered request is counted or the deadline passes, then judges. */
export async function judgeWhenDrained(pool: Pool, loads: Load[], deadlineMs = 60_000): Promise<Verdict> {
  await waitUntil(async () => (await findLost(pool, loads)).length === 0, {
    what: 'every answered redirect is counted',
    deadlineMs,
    everyMs: 250,
  }).catch(() => {})
  return judge(pool, loads)
}

function union(sets: Set<string>[]): Set<string> {
  return new Set(sets.flatMap(set => [...set]))
}
