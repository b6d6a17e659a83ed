import { fileURLToPath } from 'node:url'
import type { Cores } from './cores.ts'
import { cpuSeconds } from './process-usage.ts'
import { outputOf } from './wrk.ts'

export interface PacedPlan {
  origin: string
  /** Drawn by Zipf’s law, the most popular first. */
  paths: string[]
  headers: Record<string, string>
  perSecond: number
  seconds: number
  /** Latency is measured after these first seconds, in which the generator compiles its own code. */
  warmUpSeconds: number
  connections: number
  /** True: the generator has a core to itself and never sleeps. False: it wakes up every millisecond. */
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
  /** The mean delay between due and sent: the generator's own share of the latency. */
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
