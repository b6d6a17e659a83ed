/**
 * Breakdowns: visits by referrer, country, browser, operating system, device and language, of one link and day.
 *
 * Kept in one JSON value per link and day, so that recording a visit costs one row however many dimensions there are:
 * those of `link_breakdowns` and, until they are folded into it, of `breakdown_deltas`; all of them together count.
 * A key is the dimension's letter and the value (`cDE`); `c` alone means "not told", `c*` the sum of all values that
 * are not among the 100 kept. An entry is `visits`, or `[visits, people]` where not all of them are people.
 * The entries of each dimension add up to the visits of the row.
 */

export const dimensionLetters = {
  referrer: 'r',
  country: 'c',
  browser: 'b',
  os: 'o',
  device: 'd',
  language: 'l',
} as const

export type Dimension = keyof typeof dimensionLetters

export const dimensions = Object.keys(dimensionLetters) as Dimension[]

/** Values kept per dimension, so that a stream of made-up referrers can't blow a row up. */
const maxValues = 100

export interface Count {
  visits: number
  people: number
}

/** By key: the dimension's letter and the value. */
export type Breakdowns = Map<string, Count>

/** What a column `breakdowns` holds, as the database driver parses it. */
export type StoredBreakdowns = Record<string, number | [visits: number, people: number]>

export function addCount(breakdowns: Breakdowns, key: string, visits: number, people: number): void {
  const count = breakdowns.get(key)
  if (count === undefined) breakdowns.set(key, { visits, people })
  else {
    count.visits += visits
    count.people += people
  }
}

export function addBreakdowns(to: Breakdowns, from: Breakdowns): void {
  for (const [key, { visits, people }] of from) addCount(to, key, visits, people)
}

export function addStored(to: Breakdowns, stored: StoredBreakdowns): void {
  for (const [key, entry] of Object.entries(stored)) {
    if (typeof entry === 'number') addCount(to, key, entry, entry)
    else addCount(to, key, entry[0], entry[1])
  }
}

/** As JSON on one line for a column `breakdowns`; what is beyond the 100 most frequent values of a dimension goes to its "other". */
export function storedText(breakdowns: Breakdowns): string {
  const kept = breakdowns.size > maxValues ? keepFrequent(breakdowns) : breakdowns
  const entries: string[] = []
  for (const [key, { visits, people }] of kept)
    entries.push(`${JSON.stringify(key)}:${visits === people ? visits : `[${visits},${people}]`}`)
  // Joined, not added up: a string that was added up keeps its parts until it is read. They were a fifth of what reached
  // a worker's old generation.
  return ['{', entries.join(','), '}'].join('')
}

function keepFrequent(breakdowns: Breakdowns): Breakdowns {
  const kept: Breakdowns = new Map()
  for (const letter of Object.values(dimensionLetters)) {
    const values = [...breakdowns].filter(([key]) => key.startsWith(letter) && key !== otherKey(letter))
    values.sort(([aKey, a], [bKey, b]) => b.visits - a.visits || (aKey < bKey ? -1 : 1))
    for (const [key, count] of values.slice(0, maxValues)) kept.set(key, { ...count })
    const other = breakdowns.get(otherKey(letter))
    if (other !== undefined) addCount(kept, otherKey(letter), other.visits, other.people)
    for (const [, count] of values.slice(maxValues))
      addCount(kept, otherKey(letter), count.visits, count.people)
  }
  return kept
}

function otherKey(letter: string): string {
  return `${letter}*`
}
