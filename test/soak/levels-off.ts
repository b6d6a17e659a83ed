/**
 * Decides whether a sampled series levels off or keeps growing.
 *
 * The first quarter of a run is warm-up (compiled code, caches and pools fill) and is ignored. The rest is divided into
 * thirds, and their medians are compared: unlike a regression line or the last value, a median is not affected by the
 * sawtooth of a garbage collector or of autovacuum. A series is a leak if the last third exceeds the middle one by more
 * than the allowance AND the growth does not decay, that is, it is more than half of the growth from the first third to
 * the middle one. Growth that halves from third to third can at most add its last step again (1/2 + 1/4 + …); a leak
 * adds the same in each third. A leak smaller than a simultaneous warm-up is taken for decay: a longer run finds it,
 * because the warm-up ends.
 */
import { summarize } from '../bench/summary.ts'

export interface Allowance {
  /** As a share of the middle third's median. */
  relative: number
  /** In the unit of the series: how much a healthy run varies, however small the median. */
  absolute: number
}

export interface Course {
  /** Medians of the three thirds after the warm-up. */
  start: number
  middle: number
  end: number
  levelsOff: boolean
}

const warmUpShare = 0.25
const decay = 0.5
/** With fewer, there is nothing to take a median of. */
const fewestSamples = 12

/** Samples are evenly spaced from the start of the run. Throws if there are too few to prove anything. */
export function judgeCourse(samples: number[], allowance: Allowance): Course {
  if (samples.length < fewestSamples) throw new Error(`${samples.length} samples are too few to judge`)
  const warm = samples.slice(Math.floor(samples.length * warmUpShare))
  const cut = (from: number, to: number) =>
    summarize(warm.slice(Math.round((warm.length * from) / 3), Math.round((warm.length * to) / 3))).median
  const [start, middle, end] = [cut(0, 1), cut(1, 2), cut(2, 3)]
  const allowed = Math.max(allowance.absolute, allowance.relative * Math.abs(middle))
  const decays = end - middle <= decay * (middle - start)
  return { start, middle, end, levelsOff: end - middle <= allowed || decays }
}
