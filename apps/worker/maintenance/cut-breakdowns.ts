/** Which values of a link's day its row lists, and what the row says of the others (shared/breakdowns.ts). */
import type { Breakdowns, Count, Dimension } from '@hopcount/shared/breakdowns.ts'
import {
  addCount,
  boundKey,
  isOpenValue,
  listedValues,
  openDimensions,
  otherKey,
} from '@hopcount/shared/breakdowns.ts'

/** False where no dimension can have more values than are listed. */
export function needsCut(breakdowns: Breakdowns): boolean {
  return breakdowns.size > listedValues
}

/**
 * Takes all but the most frequent values of open dimensions out of `breakdowns`, and returns them: the caller writes
 * them into breakdown_tails, unless the day's tails are gone (`withTails` false).
 *
 * Invariant: a value that is not listed has at most `bound.visits` visits, of which `bound.humans` (the "untraced" ones)
 * have no row in breakdown_tails; a listed value may lack at most the untraced ones.
 */
export function cutOpenValues(breakdowns: Breakdowns, withTails: boolean): Breakdowns {
  const removed: Breakdowns = new Map()
  for (const dimension of openDimensions) cutDimension(breakdowns, dimension, withTails, removed)
  return removed
}

function cutDimension(
  breakdowns: Breakdowns,
  dimension: Dimension,
  withTails: boolean,
  removed: Breakdowns,
): void {
  const values = [...breakdowns].filter(([key]) => isOpenValue(key, dimension))
  if (values.length > listedValues) values.sort(mostVisitedFirst)
  const unlisted = values.slice(listedValues)
  const bound = boundOf(breakdowns, dimension)
  for (const [key, count] of unlisted) {
    breakdowns.delete(key)
    removed.set(key, count)
    addCount(breakdowns, otherKey(dimension), count.visits, count.humans)
  }
  const mostRemoved = unlisted[0]?.[1].visits ?? 0
  if (bound === undefined && unlisted.length === 0) return
  const { untraced, traced } = bound ?? { untraced: 0, traced: 0 }
  if (withTails) setBound(breakdowns, dimension, untraced, Math.max(traced, mostRemoved))
  else setBound(breakdowns, dimension, untraced + traced + mostRemoved, 0)
}

function mostVisitedFirst([aKey, a]: [string, Count], [bKey, b]: [string, Count]): number {
  return b.visits - a.visits || (aKey < bKey ? -1 : 1)
}

/** A row that was written before there were tails has a sum of others and no bound: one value may be all of it. */
function boundOf(breakdowns: Breakdowns, dimension: Dimension) {
  const bound = breakdowns.get(boundKey(dimension))
  if (bound !== undefined) return { untraced: bound.humans, traced: bound.visits - bound.humans }
  const others = breakdowns.get(otherKey(dimension))
  return others === undefined ? undefined : { untraced: others.visits, traced: 0 }
}

function setBound(breakdowns: Breakdowns, dimension: Dimension, untraced: number, traced: number): void {
  breakdowns.set(boundKey(dimension), { visits: untraced + traced, humans: untraced })
}
