/**
 * One round: load and probes start, the fault strikes at a random moment, is healed, the backlog drains, and the
 * checker judges. Everything that the row promises is compared here; what is broken comes back as `failures`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startYardstick } from '../bench/yardsticks/start-yardstick.ts'
import type { Load, Verdict } from '../support/checker.ts'
import { findLost, isExact, judge, startLoad } from '../support/checker.ts'
import type { StartedProcess } from '../support/processes.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { FaultSystem } from './fault-system.ts'
import { probeEdits } from './probe-edits.ts'
import type { ProbeName, Sample } from './probes.ts'
import { startProbes, succeeded } from './probes.ts'
import type { RoundContext } from './row.ts'

export interface Fault {
  strike(load: Load): unknown
  /** How long it lasts; or what happens meanwhile, which ends it. */
  lasts: number | ((load: Load) => unknown)
  heal(load: Load): unknown
  promises?: Promises
  load?: {
    connections?: number
    pauseMs?: number
    slugs?: string[]
    origin?: () => string
    isPaused?: () => boolean
  }
  /** Visits that may be missing although answered: a row that damages the bytes themselves names them. */
  mayMiss?: () => Set<string>
  /** A link is changed during the round: no process may redirect to a former target (probe-edits.ts). */
  edits?: {
    editor: () => string
    origins: () => string[]
    /**
     * Where the fault keeps processes from hearing of changes and from asking: they go on with what they have, until this
     * long after its end.
     */
    staleUntilMs?: number
  }
  /** How many answered visits the product itself says it has lost (VISIT_LOSS=allow). */
  saysLost?: () => Promise<number>
}

export interface Promises {
  /** Per cent of cached redirects that are answered during the fault. */
  redirects?: number
  /** Per cent answered as usual during the fault, or `503`: as usual, or 503 with Retry-After, and nothing else. */
  shorten?: number | '503'
  stats?: number | '503'
  unknownSlugs?: number | '503'
  /** 99 of 100 redirects take less, during the fault; allowedP99Ms() says what a busy machine may add. */
  redirectP99Ms?: number
  /** From the end of the fault until every answered visit is counted. */
  drainedWithinMs?: number
  /** Log lines of any one process, from the strike until it drained. */
  logLines?: number
}

export interface RoundResult {
  verdict: Verdict
  load: Load
  recoveryMs: number
  availability: { R: number; P: number; S: number }
  redirectP99Ms: number
  logLines: number
  failures: string[]
}

const settleMs = 400
/** What a cache that is back still holds is seen after the second in which it may be. */
const editsGoOnMs = 2_500
const longestDrainMs = 120_000

export async function strikeUnderLoad(
  system: FaultSystem,
  context: RoundContext,
  fault: Fault,
): Promise<RoundResult> {
  const { random, slack } = context
  const origin = fault.load?.origin ?? system.origin
  const { redirectP99Ms: promisedP99Ms } = fault.promises ?? {}
  const yardstick = promisedP99Ms === undefined ? undefined : await startYardstick('bare-node-http')
  const loadOptions = { slugs: system.slugs, connections: 6, pauseMs: 8, ...fault.load }
  const load = startLoad({ ...loadOptions, origin })
  const machine = yardstick && startLoad({ ...loadOptions, origin: () => yardstick.origin })
  const edits = fault.edits && (await probeEdits(fault.edits))
  const probes = startProbes({ origin, slug: system.slugs[0] ?? '' })
  const failures: string[] = []
  let strikeAt = 0
  let healAt = 0
  let healedAt = 0
  let before = counts(load)
  let after = before
  let machineBefore = 0
  let machineAfter = 0
  const linesBefore = new Map<StartedProcess, number>()
  try {
    await sleep(300 + random.between(0, 1_000))
    for (const part of system.processes) linesBefore.set(part, lines(part).length)
    before = counts(load)
    machineBefore = machine?.latencies.length ?? 0
    strikeAt = performance.now()
    await within(60_000, 'the strike', fault.strike(load))
    if (typeof fault.lasts === 'number') await sleep(fault.lasts)
    else await within(180_000, 'the fault', fault.lasts(load))
    after = counts(load)
    machineAfter = machine?.latencies.length ?? 0
    healAt = performance.now()
    await fault.heal(load)
    healedAt = performance.now()
    await sleep(settleMs)
    if (fault.edits !== undefined) await sleep(editsGoOnMs + (fault.edits.staleUntilMs ?? 0) * slack)
  } finally {
    await edits?.stop()
    await load.stop()
    await machine?.stop()
    await yardstick?.process.stop()
    await probes.stop()
  }
  const mayMiss = fault.mayMiss?.() ?? new Set()
  const isDrained = async () => {
    const lost = (await findLost(system.pool, [load])).filter(id => !mayMiss.has(id))
    return lost.length === 0 || lost.length === (await fault.saysLost?.())
  }
  await waitUntil(isDrained, {
    what: 'every answered redirect is counted',
    deadlineMs: longestDrainMs,
    everyMs: 100,
  }).catch(() => {})
  const recoveryMs = performance.now() - healAt
  const verdict = await judge(system.pool, [load])
  verdict.lost = verdict.lost.filter(id => !mayMiss.has(id))
  if (verdict.lost.length === (await fault.saysLost?.())) verdict.lost = []
  const written = system.processes.map(part => lines(part).slice(linesBefore.get(part) ?? 0))
  const mostWritten = written.reduce((most, next) => (next.length > most.length ? next : most), [])
  const logLines = mostWritten.length
  const during = probes.samples.filter(
    ({ startedAt, tookMs }) => startedAt >= strikeAt && startedAt + tookMs <= healAt,
  )
  const redirectP99Ms = percentile(load.latencies.slice(before.answered, after.answered), 0.99)
  const result: RoundResult = {
    verdict,
    load,
    recoveryMs,
    redirectP99Ms,
    logLines,
    availability: {
      R: share(after.answered - before.answered, after.all - before.all),
      P: availabilityOf(during, 'P'),
      S: availabilityOf(during, 'S'),
    },
    failures,
  }

  if (edits !== undefined) failures.push(...edits.failures(excusedStaleness()))
  if (!isExact(verdict)) failures.push(describeVerdict(verdict))
  const { promises = {} } = fault
  promised('redirects', promises.redirects, result.availability.R)
  promisedProbe('POST /shorten', 'P', promises.shorten)
  promisedProbe('statistics', 'S', promises.stats)
  promisedProbe('unknown slugs', 'U', promises.unknownSlugs)
  const { redirectP99Ms: p99, drainedWithinMs, logLines: maxLines } = promises
  const machineMs = percentile(machine?.latencies.slice(machineBefore, machineAfter) ?? [], 0.99)
  if (p99 !== undefined && redirectP99Ms > allowedP99Ms(p99 * slack, machineMs))
    failures.push(
      `redirects: p99 ${Math.round(redirectP99Ms)} ms, promised ${p99} ms (a bare server beside it: ${Math.round(machineMs)} ms)`,
    )
  if (drainedWithinMs !== undefined && recoveryMs > drainedWithinMs * slack)
    failures.push(`drained after ${Math.round(recoveryMs)} ms, promised ${drainedWithinMs} ms`)
  if (maxLines !== undefined && logLines > maxLines)
    failures.push(
      `${logLines} log lines of one process, at most ${maxLines} expected: ${summary(mostWritten)}`,
    )
  const crash = written.flat().find(line => line.includes('unexpected error'))
  if (crash !== undefined) failures.push(`a process ended by itself: ${crash}`)
  return result

  /** A change may be lost with the connection if it is confirmed just before. */
  function excusedStaleness(): { from: number; until: number } | undefined {
    const staleUntilMs = fault.edits?.staleUntilMs
    if (staleUntilMs === undefined) return undefined
    return { from: strikeAt - 1_000, until: healedAt + staleUntilMs * slack }
  }

  function promised(what: string, percent: number | undefined, found: number): void {
    if (percent !== undefined && found < percent)
      failures.push(`${what}: ${found.toFixed(2)} % answered, promised ${percent} %`)
  }

  function promisedProbe(what: string, probe: ProbeName, promise: number | '503' | undefined): void {
    if (promise === undefined) return
    if (promise !== '503') {
      const others = during.filter(sample => sample.probe === probe && !succeeded(sample))
      promised(`${what} (else ${statuses(others)})`, promise, availabilityOf(during, probe))
      return
    }
    const bad = during.filter(
      sample => sample.probe === probe && !succeeded(sample) && !(sample.status === 503 && sample.retryAfter),
    )
    if (bad.length > 0)
      failures.push(`${what}: ${bad.length} answers were neither as usual nor 503: ${statuses(bad)}`)
    if (!during.some(sample => sample.probe === probe))
      failures.push(`${what}: not one answer came during the fault`)
  }
}

/**
 * The promise, or more on a machine that is busy. A bare server is asked like the product, at the same time and as
 * often, and what it takes is the machine's part. Half of the promise is waiting (50 of 100 ms for a cache that does not
 * answer); the rest are turns that the processor has to give: to the bare server one, for a link that no cache gives to
 * the API, its timer, PostgreSQL and the API again, which are not all as late as the latest of a hundred. Hence three
 * times. A bare server on a quiet machine takes a few milliseconds, and the promise stands as it is; at a load average
 * of 14 on two cores it took 100 to 200, and the product 280 to 390.
 */
function allowedP99Ms(promisedMs: number, machineMs: number): number {
  return Math.max(promisedMs, promisedMs / 2 + 3 * machineMs)
}

/** A step that waits for something which never comes is a failure, not a hang. */
async function within(deadlineMs: number, what: string, step: unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    await Promise.race([step, late])
  } finally {
    clearTimeout(timer)
  }
}

function counts(load: Load): { answered: number; all: number } {
  const answered = load.latencies.length
  return { answered, all: answered + load.refused.size + load.unknown.size }
}

function describeVerdict({ lost, twice, invented, differences }: Verdict): string {
  const some = (list: string[]) => (list.length === 0 ? '' : ` (${list.slice(0, 3).join(', ')})`)
  return `lost ${lost.length}${some(lost)}, twice ${twice.length}${some(twice)}, counted though refused ${invented.length}${some(invented)}, differences ${differences.length}${some(differences)}`
}

function availabilityOf(samples: Sample[], probe: ProbeName): number {
  const asked = samples.filter(sample => sample.probe === probe)
  return share(asked.filter(succeeded).length, asked.length)
}

/** In per cent; NaN where nothing was asked. */
function share(part: number, whole: number): number {
  return whole === 0 ? Number.NaN : (100 * part) / whole
}

function statuses(samples: Sample[]): string {
  const seen = new Map<string, number>()
  for (const { status, retryAfter, tookMs } of samples) {
    const kind =
      status === 0
        ? `none after ${Math.round(tookMs / 1_000)} s`
        : `${status}${retryAfter ? ' with Retry-After' : ''}`
    seen.set(kind, (seen.get(kind) ?? 0) + 1)
  }
  return [...seen].map(([kind, times]) => `${times} × ${kind}`).join(', ')
}

function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? 0
}

function lines(part: StartedProcess): string[] {
  return part
    .output()
    .split('\n')
    .filter(line => line !== '')
}

/** The most frequent messages. */
function summary(written: string[]): string {
  const times = new Map<string, number>()
  for (const line of written) {
    const { part = '', msg = line } = parsed(line)
    const kind = `${part} ${msg}`.trim()
    times.set(kind, (times.get(kind) ?? 0) + 1)
  }
  const most = [...times].sort((a, b) => b[1] - a[1]).slice(0, 5)
  return most.map(([kind, count]) => `${count} × ${kind}`).join(', ')
}

function parsed(line: string): { part?: string; msg?: string } {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}
