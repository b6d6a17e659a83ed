/**
 * `npm run test:soak -- [--minutes 10] [--rate 300]`: runs everything under a moderate, steady load for minutes. Memory,
 * open files, queue, spool and tables must level off (as levels-off.ts defines it), and the counts must be exact at the
 * end. Writes the results to test/faults/results/soak.md; exits with 1 if anything grows or a count is wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { openLog } from '../../apps/shared/log.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import type { BenchApi, Services } from '../bench/services.ts'
import { api, segmentsIn, startServices, worker } from '../bench/services.ts'
import type { Load, Verdict } from '../support/checker.ts'
import { isExact, judgeWhenDrained, startLoad } from '../support/checker.ts'
import { cleanUp, cleanUpLater } from '../support/clean-up.ts'
import { shorten } from '../support/hopcount.ts'
import { childrenOf } from '../support/process-tree.ts'
import type { StartedProcess } from '../support/processes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { waitUntil } from '../support/wait-until.ts'
import { countsOutside } from './counts-outside.ts'
import { judgeCourse } from './levels-off.ts'
import type { LoadCounts } from './mixed-load.ts'
import { startMixedLoad } from './mixed-load.ts'
import { allowancesAfter, createSampler } from './sample-parts.ts'
import type { SoakReport } from './soak-report.ts'
import { hasFailed, printReport, writeReport } from './soak-report.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '300' } },
})
const minutes = Number(values.minutes)
const perSecond = Number(values.rate)
if (!(minutes >= 1 && perSecond > 0)) {
  process.stderr.write('test:soak: --minutes must be at least 1 and --rate greater than 0\n')
  process.exit(2)
}
/** 120 samples in 10 minutes, 60 in two. */
const sampleEveryMs = Math.min(5_000, minutes * 1_000)
const links = 2_000
const keepMemory = fileURLToPath(new URL('keep-memory.ts', import.meta.url))

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)))
let failed = true
try {
  const report = await soak()
  printReport(report)
  writeReport(report)
  failed = hasFailed(report)
} catch (error) {
  process.stderr.write(`test:soak: ${error instanceof Error ? error.stack : error}\n`)
}
// An error while closing would only hide an earlier one, and a client that keeps reconnecting would keep this running.
await cleanUp().catch(() => {})
process.exit(failed ? 1 : 0)

async function soak(): Promise<SoakReport> {
  const services = await startServices()
  await vacuumOften(services)
  const memoryFolder = temporaryFolder()
  const { started, workers } = await startParts(services, memoryFolder)
  const slugs = await makeLinks(started.origin, links)
  const queue = openVisitQueue(services.installation, openLog({ name: 'soak', level: 'silent' }))
  cleanUpLater(() => queue.close())
  const parts = {
    processes: namedProcesses(started, workers),
    memoryFolder,
    redis: { 'queue’s Redis': services.redis, 'cache’s Redis': services.cache },
    spoolDir: started.spoolDir,
    pool: services.pool,
    queue,
  }
  const sampler = createSampler(parts)
  cleanUpLater(sampler.close)

  const processes = [started.process, ...workers]
  const linesBefore = processes.map(process => linesOf(process).length)
  const mixed = startMixedLoad({ port: started.port, slugs, perSecond })
  // Some redirects are checked individually, by their referrer: nothing lost, nothing counted twice.
  const checked = startLoad({
    origin: () => started.origin,
    slugs: await makeLinks(started.origin, 20),
    connections: 2,
    pauseMs: 100,
  })
  const until = performance.now() + minutes * 60_000
  for (let next = performance.now(); performance.now() < until; await sleep(next - performance.now())) {
    next += sampleEveryMs
    await sampler.sample()
  }
  await mixed.stop()
  await checked.stop()
  const { sent, unexpected, shed, unanswered, leftOut } = mixed.counts
  const requests = sum(sent)
  const allowances = allowancesAfter(requests)
  return {
    minutes,
    perSecond,
    sampleEveryMs,
    courses: sampler
      .series()
      .map(series => ({ ...series, ...judgeCourse(series.samples, allowances[series.kind]) })),
    requests,
    ...{ sent, unexpected, shed, unanswered, leftOut },
    ...(await judgeCounts(services, started.spoolDir, mixed.counts, checked)),
    logged: complaints(processes, linesBefore),
  }
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0)
}

/** So that even a short run includes many rounds of autovacuum (by default once a minute), not half a sawtooth. */
async function vacuumOften({ postgres }: Services): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.adminUrl })
  await client.connect()
  await client.query("ALTER SYSTEM SET autovacuum_naptime = '5s'")
  await client.query('SELECT pg_reload_conf()')
  await client.end()
}

async function startParts(services: Services, memoryFolder: string) {
  const { NODE_OPTIONS } = services.installation.env
  const env = { NODE_OPTIONS: `${NODE_OPTIONS} --import=${keepMemory}`, MEMORY_FOLDER: memoryFolder }
  const started = await api(services, {
    ...env,
    WEB_CONCURRENCY: '2',
    // The load sets its visitors' addresses. And fewer links than exist: a cache that fills would look like a leak.
    TRUST_PROXY: '127.0.0.0/8',
    CACHE_MAX_LINKS: '1000',
  })
  const workers = [await worker(services, env), await worker(services, env)]
  return { started, workers }
}

function namedProcesses(started: BenchApi, workers: StartedProcess[]): Record<string, number> {
  return Object.fromEntries([
    ['API supervisor', started.process.pid],
    ...childrenOf(started.process.pid).map((pid, i) => [`API ${i + 1}`, pid] as const),
    ...workers.map(({ pid }, i) => [`worker ${i + 1}`, pid] as const),
  ])
}

async function makeLinks(origin: string, count: number): Promise<string[]> {
  const slugs: string[] = []
  while (slugs.length < count)
    slugs.push(...(await Promise.all(Array.from({ length: Math.min(100, count) }, () => shorten(origin)))))
  return slugs
}

async function judgeCounts(
  services: Services,
  spoolDir: string,
  counts: LoadCounts,
  checked: Load,
): Promise<{ verdict: Verdict; exact: boolean; outside: string[] }> {
  await waitUntil(() => segmentsIn(spoolDir).length === 0, {
    what: 'all visits are counted',
    deadlineMs: 60_000,
  }).catch(() => {})
  const verdict = await judgeWhenDrained(services.pool, [checked])
  return { verdict, exact: isExact(verdict), outside: await countsOutside(services.pool, counts) }
}

/** Warnings and errors since the load began. */
function complaints(processes: StartedProcess[], linesBefore: number[]): string[] {
  return processes.flatMap((process, i) =>
    linesOf(process)
      .slice(linesBefore[i])
      .filter(line => /"level":[456]0/.test(line)),
  )
}

function linesOf(process: StartedProcess): string[] {
  return process.output().split('\n')
}
