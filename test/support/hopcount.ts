import type pg from 'pg'
import { openPool as openSharedPool, poolConfig } from '../../apps/shared/database/database.ts'
import { cleanUpLater } from './clean-up.ts'
import type { StartedProcess } from './processes.ts'
import { startProcess } from './processes.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait-until.ts'

/** What the components of one installation share. */
export interface Installation {
  databaseUrl: string
  /** Undefined: the queue is in PostgreSQL. */
  redisUrl?: string | undefined
  spoolDir?: string
  env?: Record<string, string>
  /** The most file descriptors that each process may have open. */
  descriptors?: number | undefined
}

export interface RunningApi {
  origin: string
  port: number
  process: StartedProcess
}

/** Starts a real API process and waits until it listens. */
export async function startApi(installation: Installation & { port?: number }): Promise<RunningApi> {
  const { port = 0 } = installation
  const started = startProcess({
    script: 'apps/api/main.ts',
    env: {
      // The Host of test/api/requests.ts
      OWN_HOSTS: 'hop.example',
      ...environment(installation),
      PORT: String(port),
      SPOOL_DIR: spoolDirOf(installation),
    },
    descriptors: installation.descriptors,
  })
  const line = await started.waitForLine(/Server listening at/, 60_000)
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
  if (origin === undefined) throw new Error(`no address in ${line}`)
  return { origin, port: Number(new URL(origin).port), process: started }
}

/** Starts a real worker process and waits until it records. */
export async function startWorker(installation: Installation): Promise<StartedProcess> {
  const started = startProcess({
    script: 'apps/worker/main.ts',
    env: { ...environment(installation), WORKER_METRICS_PORT: '0', SPOOL_DIR: spoolDirOf(installation) },
    descriptors: installation.descriptors,
  })
  await started.waitForLine(/recording visits/)
  return started
}

/** Where a worker that has started serves `/metrics` and `/readyz`. */
export function workerOrigin(worker: StartedProcess): string {
  const port = /"metricsPort":(\d+)/.exec(worker.output())?.[1]
  if (port === undefined) throw new Error('the worker has not started')
  return `http://127.0.0.1:${port}`
}

const spoolDirs = new Map<string, string>()

/** With the queue in PostgreSQL, API and worker share the folder: it contains the key that encrypts the queue. */
export function spoolDirOf({ spoolDir, redisUrl, databaseUrl }: Installation): string {
  if (spoolDir !== undefined) return spoolDir
  if (redisUrl !== undefined) return temporaryFolder()
  const known = spoolDirs.get(databaseUrl) ?? temporaryFolder()
  spoolDirs.set(databaseUrl, known)
  return known
}

function environment({ databaseUrl, redisUrl, env }: Installation): Record<string, string> {
  return { DATABASE_URL: databaseUrl, ...(redisUrl && { REDIS_URL: redisUrl }), LOG_LEVEL: 'info', ...env }
}

/** Creates a link and returns its slug. */
export async function shorten(origin: string, body: Record<string, unknown> = {}): Promise<string> {
  const response = await fetch(`${origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ long_url: 'https://example.com/', ...body }),
  })
  const answer = (await response.json()) as { slug: string }
  if (response.status !== 201)
    throw new Error(`POST /shorten answered ${response.status} ${JSON.stringify(answer)}`)
  return answer.slug
}

/** Requests a link without following the redirect; throws unless the status is 307. */
export async function visit(
  origin: string,
  slug: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(`${origin}/${slug}`, { redirect: 'manual', headers })
  await response.arrayBuffer()
  if (response.status !== 307) throw new Error(`GET /${slug} answered ${response.status}`)
  return response.headers.get('location') ?? ''
}

export interface LinkStats {
  slug: string
  long_url: string
  visits: number
  first_visit: string | null
  last_visit: string | null
  series: { start: string; visits: number }[]
  recent: { visited_at: string; referrer: string | null; user_agent: string | null }[]
}

export async function linkStats(origin: string, slug: string, query = ''): Promise<LinkStats> {
  const response = await fetch(`${origin}/stats/${slug}${query}`)
  if (response.status !== 200)
    throw new Error(`GET /stats/${slug} answered ${response.status} ${await response.text()}`)
  return (await response.json()) as LinkStats
}

/** Waits until the link's statistics show exactly that many visits. */
export async function waitForVisits(
  origin: string,
  slug: string,
  visits: number,
  deadlineMs = 30_000,
): Promise<LinkStats> {
  let last: LinkStats | undefined
  return waitUntil(
    async () => {
      last = await linkStats(origin, slug)
      return last.visits === visits && last
    },
    { what: `/${slug} has ${visits} visits`, deadlineMs },
  ).catch(error => {
    throw new Error(`${error.message}; last response: ${last?.visits}`, { cause: error })
  })
}

/**
 * A pool for a test's own queries; closed after the test file. Unlike those of programs, a session may be idle in a
 * transaction, and hold its locks, for as long as the test takes.
 */
export function openPool(databaseUrl: string): pg.Pool {
  const settings = poolConfig(databaseUrl, { max: 4, applicationName: 'test', statementTimeoutMs: 30_000 })
  const pool = openSharedPool({ ...settings, idle_in_transaction_session_timeout: 0 }, () => {})
  cleanUpLater(() => pool.end())
  return pool
}
