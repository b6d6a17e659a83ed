/** Compares a day's breakdowns with what its raw visits give (raw-day.ts). */
import type { Breakdowns, Count, Dimension, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import {
  addCount,
  addStored,
  boundKey,
  dimensionLetters,
  dimensions,
  isBoundKey,
  openDimensions,
  otherKey,
} from '@hopcount/shared/breakdowns.ts'
import { dayText } from '@hopcount/shared/days.ts'
import type { PoolClient } from 'pg'
import { fetchAll } from './fetch-all.ts'

/** A row holds up to four objects of 400 values. A worker counts days again beside recording. */
const rowsPerFetch = 1_000

interface BreakdownDifference {
  kind: string
  expected: number
  found: number
}

export interface DifferingBreakdowns extends BreakdownDifference {
  linkId: number
  /** Every value of the link's raw visits. */
  ofRawVisits: Breakdowns
}

/** The links of the day whose breakdowns differ: stored ones are the row, its tail and what is not folded yet. */
export async function* differingBreakdowns(
  client: PoolClient,
  day: number,
): AsyncGenerator<DifferingBreakdowns> {
  await client.query(
    `DECLARE unequal NO SCROLL CURSOR FOR
     SELECT link_id, raw.breakdowns AS expected, folded.breakdowns AS folded, deltas.parts AS deltas, tail.values AS tail
     FROM day_links AS raw
     LEFT JOIN (
       SELECT link_id, breakdowns FROM link_breakdowns WHERE day = $1::date
     ) AS folded USING (link_id)
     LEFT JOIN (
       SELECT link_id, json_agg(breakdowns) AS parts FROM breakdown_deltas
       WHERE day = $1::date GROUP BY link_id
     ) AS deltas USING (link_id)
     LEFT JOIN (
       SELECT link_id, json_object_agg(key, json_build_array(visits, humans)) AS values FROM breakdown_tails
       WHERE day = $1::date GROUP BY link_id
     ) AS tail USING (link_id)
     WHERE folded.breakdowns IS NULL OR deltas.parts IS NOT NULL OR tail.values IS NOT NULL
        OR raw.breakdowns::jsonb <> folded.breakdowns::jsonb`,
    [dayText(day)],
  )
  for await (const rows of fetchAll<{
    link_id: number
    expected: StoredBreakdowns
    folded: StoredBreakdowns | null
    deltas: StoredBreakdowns[] | null
    tail: StoredBreakdowns | null
  }>(client, 'unequal', rowsPerFetch)) {
    for (const { link_id: linkId, expected, folded, deltas, tail } of rows) {
      const ofRawVisits: Breakdowns = new Map()
      addStored(ofRawVisits, expected)
      const listed: Breakdowns = new Map()
      for (const part of [folded ?? {}, ...(deltas ?? [])]) addStored(listed, part)
      const difference = findBreakdownDifference(ofRawVisits, listed, tail ?? {})
      if (difference !== undefined) yield { ...difference, linkId, ofRawVisits }
    }
  }
}

/** The first difference between every value of the raw visits and what is stored, or undefined. */
function findBreakdownDifference(
  ofRawVisits: Breakdowns,
  listed: Breakdowns,
  tail: StoredBreakdowns,
): BreakdownDifference | undefined {
  const stored: Breakdowns = new Map([...listed].map(([key, count]) => [key, { ...count }]))
  for (const dimension of openDimensions) {
    const ofTail = new Map<string, Count>()
    addStored(ofTail, Object.fromEntries(Object.entries(tail).filter(([key]) => isOf(key, dimension))))
    const { visits, humans } = sumOf(ofTail, ofTail.keys())
    if (ofTail.size > 0) addCount(stored, otherKey(dimension), -visits, -humans)
    for (const [key, count] of ofTail) addCount(stored, key, count.visits, count.humans)
  }
  for (const dimension of dimensions) {
    const difference = findDimensionDifference(ofRawVisits, stored, dimension)
    if (difference !== undefined) return difference
  }
  return undefined
}

/**
 * Each value must have the visits that the raw ones give. Some may lack visits only where the row says so, or where it
 * was written before rows said it; even then not a value that makes up 1 % of the day.
 */
function findDimensionDifference(
  expected: Breakdowns,
  stored: Breakdowns,
  dimension: Dimension,
): BreakdownDifference | undefined {
  const keys = [...new Set([...expected.keys(), ...stored.keys()])].filter(
    key => isOf(key, dimension) && !isBoundKey(key),
  )
  const untraced = untracedVisits(stored, dimension)
  const rawSum = sumOf(expected, keys)
  for (const key of keys) {
    if (key === otherKey(dimension) && untraced > 0) continue
    const raw = expected.get(key) ?? none
    const found = stored.get(key) ?? none
    const mayLack = raw.visits * 100 >= rawSum.visits ? 0 : untraced
    for (const what of ['visits', 'humans'] as const) {
      if (found[what] <= raw[what] && raw[what] <= found[what] + mayLack) continue
      const kind = what === 'visits' ? `breakdown ${key}` : `humans in breakdown ${key}`
      return { kind, expected: raw[what], found: found[what] }
    }
  }
  const foundSum = sumOf(stored, keys)
  const letter = dimensionLetters[dimension]
  if (rawSum.visits !== foundSum.visits)
    return { kind: `sum of breakdown ${letter}`, expected: rawSum.visits, found: foundSum.visits }
  if (rawSum.humans !== foundSum.humans)
    return { kind: `humans in sum of breakdown ${letter}`, expected: rawSum.humans, found: foundSum.humans }
  return undefined
}

/** Visits that a value may have among those that are neither listed nor in the tail. */
function untracedVisits(stored: Breakdowns, dimension: Dimension): number {
  return stored.get(boundKey(dimension))?.humans ?? stored.get(otherKey(dimension))?.visits ?? 0
}

function isOf(key: string, dimension: Dimension): boolean {
  return key[0] === dimensionLetters[dimension]
}

const none: Count = { visits: 0, humans: 0 }

function sumOf(breakdowns: Breakdowns, keys: Iterable<string>): Count {
  const sum = { visits: 0, humans: 0 }
  for (const key of keys) {
    const { visits, humans } = breakdowns.get(key) ?? none
    sum.visits += visits
    sum.humans += humans
  }
  return sum
}
