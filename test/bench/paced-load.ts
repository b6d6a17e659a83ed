import { fileURLToPath } from 'node:url'
import type { Cores } from './cores.ts'
import { cpuSeconds } from './process-usage.ts'
import { outputOf } from './wrk.ts'

export interface PacedPlan {
  origin: string
  /** Drawn from alike. */
  paths: string[]
  headers: Record<string, string>
  perSecond: number
  seconds: number
  connections: number
  /** True: the generator has its core for itself and never sleeps. False: it wakes up every millisecond. */
  spin: boolean
}

export interface PacedSample {
  due: number
  answered: number
  perSecond: number
  statuses: Record<string, number>
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** How much later than due requests were sent, on average: the generator's own part of the latencies. */
  generatorLateMs: number
}

const script = fileURLToPath(new URL('paced-generator.ts', import.meta.url))

export async function pacedLoad(
  plan: PacedPlan,
  cores: Cores,
  serverPids: number[],
): Promise<PacedSample & { cpuMicrosPerRequest: number }> {
  const cpuBefore = cpuSeconds(...serverPids)
  const output = await outputOf(cores, [process.execPath, script, JSON.stringify(plan)], plan.seconds)
  const sample = JSON.parse(output) as PacedSample
  const cpu = cpuSeconds(...serverPids) - cpuBefore
  return { ...sample, cpuMicrosPerRequest: (cpu * 1e6) / Math.max(sample.answered, 1) }
}
