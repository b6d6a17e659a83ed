/** Breakdowns as answers show them: per dimension the most frequent values, and last the sum of all others. */
import type { Breakdowns, Count, Dimension } from '@hopcount/shared/breakdowns.ts'
import {
  boundKey,
  dimensionLetters,
  isBoundKey,
  listedValues,
  openDimensions,
} from '@hopcount/shared/breakdowns.ts'
import type { Static } from 'typebox'
import { Type } from 'typebox'

export interface BreakdownValue {
  /** Empty: not told; `*`: all others. */
  value: string
  visits: number
  humans: number
}

export const limitProperty = {
  limit: Type.Integer({
    minimum: 10,
    maximum: listedValues,
    default: 10,
    description: 'values named per dimension; the others are one',
  }),
}

export const dimensionSchema = Type.Union([
  Type.Literal('referrer'),
  Type.Literal('country'),
  Type.Literal('browser'),
  Type.Literal('os'),
  Type.Literal('device'),
  Type.Literal('language'),
])

const ValuesSchema = Type.Array(
  Type.Object({
    value: Type.String({
      description:
        'a host or the name of a known source, "DE", "Firefox", "Windows", "mobile", "de"; "": not told, of referrers: none; "*": all others',
    }),
    visits: Type.Integer(),
    humans: Type.Integer({ description: 'of the visits, those of people' }),
  }),
)

export const BreakdownsSchema = Type.Partial(
  Type.Object({
    referrer: ValuesSchema,
    country: ValuesSchema,
    browser: ValuesSchema,
    os: ValuesSchema,
    device: ValuesSchema,
    language: ValuesSchema,
  }),
  { description: 'most visits first, "*" last; the visits of each dimension add up to those of the answer' },
)

export const UncertaintySchema = Type.Partial(
  Type.Object({
    referrer: Type.Object({
      missing_at_most: Type.Integer({ description: 'visits that a named value may have beyond those shown' }),
      unnamed_at_most: Type.Integer({ description: 'visits that a value without a name here may have' }),
    }),
  }),
  {
    description:
      'Only where a day had so many values that they were not all kept: by dimension, how far its list may be from the truth. Without it the list is exact',
  },
)

/** Nothing where all that is shown is exact, and nothing that is not shown is more frequent. */
export function uncertaintyAnswer(breakdowns: Breakdowns, dimensions: Dimension[], limit: number) {
  const uncertain: Static<typeof UncertaintySchema> = {}
  for (const dimension of openDimensions) {
    const bound = breakdowns.get(boundKey(dimension))
    if (bound === undefined || !dimensions.includes(dimension)) continue
    const named = breakdownValues(breakdowns)[dimension].filter(({ value }) => value !== '*')
    const last = named.slice(0, limit).at(-1)
    if (bound.people === 0 && last !== undefined && bound.visits <= last.visits) continue
    uncertain[dimension] = { missing_at_most: bound.people, unnamed_at_most: bound.visits }
  }
  return Object.keys(uncertain).length === 0 ? {} : { uncertain }
}

export function breakdownsAnswer(
  breakdowns: Breakdowns,
  dimensions: Dimension[],
  limit: number,
): Partial<Record<Dimension, BreakdownValue[]>> {
  const values = breakdownValues(breakdowns)
  return Object.fromEntries(dimensions.map(dimension => [dimension, firstOf(values[dimension], limit)]))
}

/** All values of each dimension, most visits first, "*" last. */
export function breakdownValues(breakdowns: Breakdowns): Record<Dimension, BreakdownValue[]> {
  const values: Record<Dimension, BreakdownValue[]> = {
    referrer: [],
    country: [],
    browser: [],
    os: [],
    device: [],
    language: [],
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

function namedCount(value: string, { visits, people }: Count): BreakdownValue {
  return { value, visits, humans: people }
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
