import { waitUntil } from '../../support/wait-until.ts'
import type { BenchSettings } from '../bench-part.ts'
import { cpuSeconds } from '../process-usage.ts'
import type { RedirectLoad } from '../redirect-load.ts'
import { assertAllAnswered, loadRedirects } from '../redirect-load.ts'
import type { LoadSample } from '../wrk.ts'
import type { Contender, PartName } from './contenders.ts'
import { partNames } from './contenders.ts'

const connections = 64
const countingDeadlineMs = 120_000

export interface BurstSample extends LoadSample {
  /** From the end of the load until everything it answered is counted; NaN if nothing is counted. */
  countedAfterMs: number
  /** CPU time of each part per redirect, including what it takes to count them after the load. */
  cpuMicrosOf: Record<PartName, number>
}

/**
 * Loads a contender, then waits until it has counted. Throws if a redirect was refused, if one that was answered is not
 * counted, or if more are counted than can have been answered.
 */
export async function measureBurst(
  settings: BenchSettings,
  contender: Contender,
  options: RedirectLoad,
): Promise<BurstSample> {
  const { origin, count } = contender
  const visitsBefore = (await count?.visits()) ?? 0
  const cpuBefore = cpuOf(contender)
  const sample = await loadRedirects(
    settings,
    { origin, pids: contender.parts.API ?? [] },
    { ...options, connections },
  )
  const endedAt = performance.now()
  assertAllAnswered([sample], origin)
  let countedAfterMs = Number.NaN
  if (count !== undefined) {
    await waitUntil(async () => (await count.visits()) >= visitsBefore + sample.requests, {
      what: `${sample.requests} redirects are counted`,
      deadlineMs: countingDeadlineMs,
      everyMs: 20,
    })
    countedAfterMs = performance.now() - endedAt
    await count.settled()
    assertCounted(sample.requests, (await count.visits()) - visitsBefore)
  }
  const cpuAfter = cpuOf(contender)
  const micros = (name: PartName) => ((cpuAfter[name] - cpuBefore[name]) * 1e6) / Math.max(sample.requests, 1)
  return { ...sample, countedAfterMs, cpuMicrosOf: forEachPart(micros) }
}

/** A generator that ends leaves up to one response per connection unread. */
export function assertCounted(answered: number, counted: number): void {
  if (counted < answered || counted > answered + connections)
    throw new Error(`${answered} redirects were answered, and ${counted} counted`)
}

function cpuOf({ parts }: Contender): Record<PartName, number> {
  return forEachPart(name => cpuSeconds(...(parts[name] ?? [])))
}

function forEachPart(value: (name: PartName) => number): Record<PartName, number> {
  return Object.fromEntries(partNames.map(name => [name, value(name)])) as Record<PartName, number>
}
