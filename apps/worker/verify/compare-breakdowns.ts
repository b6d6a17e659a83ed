import type { Breakdowns, Count, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import { addStored, dimensionLetters } from '@hopcount/shared/breakdowns.ts'

export interface BreakdownDifference {
  kind: string
  expected: number
  found: number
}

/**
 * The first difference between what raw visits give and what is stored, or undefined.
 *
 * Where a dimension has more values than are kept, what has gone to "other" depends on the order in which visits were
 * recorded. Then its sums must agree, and no kept value may have more visits than the raw ones give.
 */
export function findBreakdownDifference(
  ofRawVisits: StoredBreakdowns,
  found: Breakdowns,
): BreakdownDifference | undefined {
  const expected: Breakdowns = new Map()
  addStored(expected, ofRawVisits)
  for (const letter of Object.values(dimensionLetters)) {
    const other = `${letter}*`
    const keys = new Set([...expected.keys(), ...found.keys()].filter(key => key[0] === letter))
    const isCut = keys.has(other)
    for (const key of keys) {
      const raw = expected.get(key) ?? none
      const stored = found.get(key) ?? none
      if (isCut && (key === other || !expected.has(key) || !found.has(key))) continue
      if (isCut ? stored.visits > raw.visits : stored.visits !== raw.visits)
        return { kind: `breakdown ${key}`, expected: raw.visits, found: stored.visits }
      if (isCut ? stored.people > raw.people : stored.people !== raw.people)
        return { kind: `people in breakdown ${key}`, expected: raw.people, found: stored.people }
    }
    const raw = sumOf(expected, keys)
    const stored = sumOf(found, keys)
    if (raw.visits !== stored.visits)
      return { kind: `sum of breakdown ${letter}`, expected: raw.visits, found: stored.visits }
    if (raw.people !== stored.people)
      return { kind: `people in sum of breakdown ${letter}`, expected: raw.people, found: stored.people }
  }
  return undefined
}

const none: Count = { visits: 0, people: 0 }

function sumOf(breakdowns: Breakdowns, keys: Iterable<string>): Count {
  const sum = { visits: 0, people: 0 }
  for (const key of keys) {
    const { visits, people } = breakdowns.get(key) ?? none
    sum.visits += visits
    sum.people += people
  }
  return sum
}
