/**
 * Breakdowns: visits by referrer, channel, country, browser, operating system, device, language
 * and bot, of one link and day.
 *
 * Kept in one JSON value per link and day, so that recording a visit costs one row however many dimensions there are:
 * a row of `link_breakdowns` plus, until they are folded into it, rows of `breakdown_deltas`. Readers sum all of them.
 * A key is the dimension's letter and the value (`cDE`); `c` alone means "not told". An entry is `visits`, or
 * `[visits, humans]` where not all of them are humans. The entries of each dimension add up to the visits of the row.
 *
 * Dimensions with a closed set of values are stored whole. An open one, whose values strangers choose, lists its
 * `listedValues` most frequent values; the others have a row each in `breakdown_tails`, and the row says of them:
 *   `r*`  their sum
 *   `r~`  [most visits that any of them may have, of these visits that have no row in `breakdown_tails`]: no visits of
 *         their own, and not part of any sum
 */

export const dimensionLetters = {
  referrer: 'r',
  channel: 'h',
  country: 'c',
  browser: 'b',
  os: 'o',
  device: 'd',
  language: 'l',
  bot: 'n',
  bot_group: 'g',
} as const

export type Dimension = keyof typeof dimensionLetters

export const dimensions = Object.keys(dimensionLetters) as Dimension[]

/** Their values come from outside, without end. */
export const openDimensions = ['referrer'] as const satisfies Dimension[]

/**
 * Values that a row lists of an open dimension. It bounds what a fold reads and writes (some 10 kB), not what is exact:
 * all values are, as long as raw visits are kept.
 */
export const listedValues = 400

/**
 * Dimensions whose stored values may add up to less than the visits: readers add the rest to the empty value. Days
 * recorded by an older version lack them until `npm run reclassify`, and visits by humans never have a bot's name.
 */
export const laterDimensions: Dimension[] = ['channel', 'bot', 'bot_group']

export interface Count {
  visits: number
  humans: number
}

/** By key: the dimension's letter and the value. */
export type Breakdowns = Map<string, Count>

/** What a column `breakdowns` holds, as the database driver parses it. */
export type StoredBreakdowns = Record<string, number | [visits: number, humans: number]>

export function addCount(breakdowns: Breakdowns, key: string, visits: number, humans: number): void {
  const count = breakdowns.get(key)
  if (count === undefined) breakdowns.set(key, { visits, humans })
  else {
    count.visits += visits
    count.humans += humans
  }
}

export function addBreakdowns(to: Breakdowns, from: Breakdowns): void {
  for (const [key, { visits, humans }] of from) addCount(to, key, visits, humans)
}

export function addStored(to: Breakdowns, stored: StoredBreakdowns): void {
  for (const [key, entry] of Object.entries(stored)) {
    if (typeof entry === 'number') addCount(to, key, entry, entry)
    else addCount(to, key, entry[0], entry[1])
  }
}

/** As JSON on one line for a column `breakdowns`. */
export function storedText(breakdowns: Iterable<[key: string, count: Count]>): string {
  const entries: string[] = []
  for (const [key, { visits, humans }] of breakdowns)
    entries.push(`${JSON.stringify(key)}:${visits === humans ? visits : `[${visits},${humans}]`}`)
  // Joined, not added up: a string that was added up keeps its parts until it is read. They were a fifth of what reached
  // a worker's old generation.
  return ['{', entries.join(','), '}'].join('')
}

/** The sum of the values that a row does not list. */
export function otherKey(dimension: Dimension): string {
  return `${dimensionLetters[dimension]}*`
}

/** What is known of the values that a row does not list. */
export function boundKey(dimension: Dimension): string {
  return `${dimensionLetters[dimension]}~`
}

export function isBoundKey(key: string): boolean {
  return key.length === 2 && key[1] === '~'
}

/** A value of an open dimension that is told: no sum, no bound, and not "not told". */
export function isOpenValue(key: string, dimension: Dimension): boolean {
  return (
    key.length > 1 &&
    key[0] === dimensionLetters[dimension] &&
    key !== otherKey(dimension) &&
    key !== boundKey(dimension)
  )
}
