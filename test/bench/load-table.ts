import type { Cell, Table } from './bench-part.ts'
import { ratio, summary } from './rounds.ts'
import { summarize } from './summary.ts'
import type { LoadSample } from './wrk.ts'

/** Throughput, CPU time and latency of each contender, and the first two as ratios to the base, computed per round. */
export function loadTable(
  title: string,
  samples: Record<string, LoadSample[]>,
  base: string,
  options: { requests?: string } = {},
): Table {
  const baseSamples = samples[base] ?? []
  const columns = [
    `${options.requests ?? 'requests'}/s`,
    `× ${base}`,
    'CPU µs each',
    `× ${base} (CPU)`,
    'p50 ms',
    'p99 ms',
  ]
  const rows = Object.entries(samples).map(([what, own]) => {
    const cells: Cell[] = [
      summary(own, perSecond),
      what === base ? '1' : ratio(own, baseSamples, perSecond),
      summary(own, cpuMicros),
      what === base ? '1' : ratio(own, baseSamples, cpuMicros),
      summary(own, sample => sample.p50Ms),
      summary(own, sample => sample.p99Ms),
    ]
    return { what, cells }
  })
  return { title, columns, rows }
}

export function perSecond(sample: LoadSample): number {
  return sample.requestsPerSecond
}

export function cpuMicros(sample: LoadSample): number {
  return sample.cpuMicrosPerRequest
}

export function throughputBars(samples: Record<string, LoadSample[]>) {
  return Object.entries(samples).map(([label, own]) => ({ label, value: summarize(own.map(perSecond)) }))
}
