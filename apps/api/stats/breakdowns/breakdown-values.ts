/** Stored breakdowns as responses show them: per dimension the most frequent values, then the sum of all others. */
import type { Breakdowns, Count, Dimension } from '@hopcount/shared/breakdowns.ts'
import { boundKey, dimensionLetters, isBoundKey, openDimensions } from '@hopcount/shared/breakdowns.ts'
import type { BreakdownValue, Uncertainty } from './breakdown-schema.ts'

export function mostFrequentValues(
  breakdowns: Breakdowns,
  dimensions: Dimension[],
  limit: number,
): Partial<Record<Dimension, BreakdownValue[]>> {
  const values = breakdownValues(breakdowns)
  return Object.fromEntries(dimensions.map(dimension => [dimension, firstOf(values[dimension], limit)]))
}

/** Adds what the values had in the range that is compared with. A value that may have been there unlisted is left as it is. */
export function withPreviousCounts(
  shown: Partial<Record<Dimension, BreakdownValue[]>>,
  before: Breakdowns,
): Partial<Record<Dimension, BreakdownValue[]>> {
  return Object.fromEntries(
    (Object.entries(shown) as [Dimension, BreakdownValue[]][]).map(([dimension, values]) => {
      const bound = before.get(boundKey(dimension))
      return [
        dimension,
        values.map(value => {
          if (value.value === '*' || (bound !== undefined && bound.humans > 0)) return value
          const count = before.get(valueKey(dimension, value))
          if (count === undefined && bound !== undefined && bound.visits > 0) return value
          return { ...value, previous: { visits: count?.visits ?? 0, humans: count?.humans ?? 0 } }
        }),
      ]
    }),
  )
}

export function valueKey(dimension: Dimension, { value }: BreakdownValue): string {
  return `${dimensionLetters[dimension]}${value}`
}

/** Empty if all shown counts are exact and no value that is not shown is more frequent. */
export function uncertaintyOf(
  breakdowns: Breakdowns,
  dimensions: Dimension[],
  limit: number,
): { uncertain?: Uncertainty } {
  const uncertain: Uncertainty = {}
  for (const dimension of openDimensions) {
    const bound = breakdowns.get(boundKey(dimension))
    if (bound === undefined || !dimensions.includes(dimension)) continue
    const named = breakdownValues(breakdowns)[dimension].filter(({ value }) => value !== '*')
    const last = named.slice(0, limit).at(-1)
    if (bound.humans === 0 && last !== undefined && bound.visits <= last.visits) continue
    uncertain[dimension] = { missing_at_most: bound.humans, unnamed_at_most: bound.visits }
  }
  return Object.keys(uncertain).length === 0 ? {} : { uncertain }
}

/** All values of each dimension, most visits first, "*" last. */
export function breakdownValues(breakdowns: Breakdowns): Record<Dimension, BreakdownValue[]> {
  const values: Record<Dimension, BreakdownValue[]> = {
    referrer: [],
    channel: [],
    country: [],
    browser: [],
    os: [],
    device: [],
    language: [],
    bot: [],
    bot_group: [],
  }
  const dimensionOf = new Map(
    Object.entries(dimensionLetters).map(([dimension, letter]) => [letter, dimension as Dimension]),
  )
  for (const [key, count] of breakdowns) {
    if (isBoundKey(key) || count.visits === 0) continue
    const dimension = dimensionOf.get(key.charAt(0) as 'r')
    if (dimension !== undefined) values[dimension].push(namedCount(key.slice(1), count))
  }
  for (const list of Object.values(values)) list.sort(mostVisitedFirst)
  return values
}

function namedCount(value: string, { visits, humans }: Count): BreakdownValue {
  return { value, visits, humans }
}

function mostVisitedFirst(a: BreakdownValue, b: BreakdownValue): number {
  if (a.value === '*' || b.value === '*') return a.value === '*' ? 1 : -1
  return b.visits - a.visits || (a.value < b.value ? -1 : 1)
}

function firstOf(values: BreakdownValue[], limit: number): BreakdownValue[] {
  const named = values.filter(({ value }) => value !== '*')
  const others = { value: '*', visits: 0, humans: 0 }
  for (const { visits, humans } of [...values.slice(named.length), ...named.slice(limit)]) {
    others.visits += visits
    others.humans += humans
  }
  return others.visits > 0 ? [...named.slice(0, limit), others] : named
}
