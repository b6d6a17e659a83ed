/**
 * Does what was sampled over a run level off, or does it go on growing?
 *
 * The first quarter of a run is warm-up (compiled code, caches and pools fill) and is left out. The rest is cut into
 * three parts, and their medians are compared: a median does not see the teeth of a garbage collector or of autovacuum,
 * as a slope through all points or the last value would. It is a leak when the last part lies above the middle one by
 * more than the allowance AND the growth is not dying out, that is, it is more than half of that from the first part to
 * the middle one. What halves from part to part has at most its last growth still to come (1/2 + 1/4 + …); a leak grows
 * as much in each part. A leak under a warm-up that is larger than itself passes for one that is dying out: a longer
 * run sees it, because the warm-up ends.
 */
import { summarize } from '../bench/summary.ts'

export interface Allowance {
  /** Share of the middle part's median. */
  relative: number
  /** In the unit of the series: what a healthy run moves by, however small the median. */
  absolute: number
}

export interface Course {
  /** Medians of the three parts after the warm-up. */
  start: number
  middle: number
  end: number
  levelsOff: boolean
}

const warmUpShare = 0.25
const dyingOut = 0.5
/** Fewer leave nothing to take a median of. */
const fewestSamples = 12

/** The samples are as far apart from each other as from the start. Too few of them are no proof: an error. */
export function judgeCourse(samples: number[], allowance: Allowance): Course {
  if (samples.length < fewestSamples) throw new Error(`${samples.length} samples are too few to judge`)
  const warm = samples.slice(Math.floor(samples.length * warmUpShare))
  const cut = (from: number, to: number) =>
    summarize(warm.slice(Math.round((warm.length * from) / 3), Math.round((warm.length * to) / 3))).median
  const [start, middle, end] = [cut(0, 1), cut(1, 2), cut(2, 3)]
  const allowed = Math.max(allowance.absolute, allowance.relative * Math.abs(middle))
  const isDyingOut = end - middle <= dyingOut * (middle - start)
  return { start, middle, end, levelsOff: end - middle <= allowed || isDyingOut }
}
