import type { Summary } from './summary.ts'
import { summarize } from './summary.ts'

/**
 * Measures the contenders alternately, round by round, every other round in reverse order, so that other load on the
 * machine affects all of them equally.
 */
export async function inTurn<Name extends string, Sample>(
  rounds: number,
  contenders: Record<Name, () => Promise<Sample>>,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(contenders) as Name[]
  const samples = Object.fromEntries(names.map(name => [name, []])) as unknown as Record<Name, Sample[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed())
      samples[name].push(await contenders[name]())
  }
  return samples
}

/** Computed per round, so that anything that slows a whole round cancels out. */
export function ratio<Sample>(samples: Sample[], base: Sample[], value: (sample: Sample) => number): Summary {
  return summarize(samples.map((sample, i) => value(sample) / value(base[i] ?? sample)))
}

export function summary<Sample>(samples: Sample[], value: (sample: Sample) => number): Summary {
  return summarize(samples.map(value))
}
