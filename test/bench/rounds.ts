import type { Summary } from './summary.ts'
import { summarize } from './summary.ts'

/**
 * Measures the contenders in turn, round after round, every other round backwards: what the machine does meanwhile
 * meets all of them alike.
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

/** Round by round, so that what slowed a whole round cancels out. */
export function ratio<Sample>(samples: Sample[], base: Sample[], value: (sample: Sample) => number): Summary {
  return summarize(samples.map((sample, i) => value(sample) / value(base[i] ?? sample)))
}

export function summary<Sample>(samples: Sample[], value: (sample: Sample) => number): Summary {
  return summarize(samples.map(value))
}
