/**
 * The visits of a transaction as columns: 36 bytes per visit, in memory that V8 neither moves nor scans. Objects would
 * outlive the young generation while PostgreSQL is busy. The worker's CPU time per visit, in alternating runs: 14.5 µs,
 * and 16.3 with an object per visit.
 *
 * Each text is kept once, together with its description. Visits refer to it by its place.
 */
import type { VisitorClass } from '@hopcount/shared/agents/describe-user-agent.ts'

/** Each array holds a visit's value at the visit's place. */
export interface VisitColumns {
  /** The number of visits. The arrays may be longer. */
  length: number
  linkIds: Float64Array
  /** Milliseconds since 1970. */
  visitedAt: Float64Array
  /** Places of visits whose own time could not be right (bound-times.ts). */
  misdated: number[]
  /** Places in the two tables below. */
  userAgents: Uint32Array
  referrers: Uint32Array
  /** Letters as a number (letter-codes.ts). 0: unknown. */
  countries: Int16Array
  languages: Int16Array
  /** Two numbers per visit: the first 64 bits of who it was. 0 and 0: no person, or a day whose salt is gone. */
  visitors: Int32Array
  userAgentTexts: TextTable<AgentKeys>
  referrerTexts: TextTable<ReferrerKeys>
}

/** What a user agent is counted as: its class, and its keys in the breakdowns. */
export interface AgentKeys {
  class: VisitorClass
  browser: string
  os: string
  device: string
  bot: string
  botGroup: string
}

/** What a referrer is counted as: its keys in the breakdowns. */
export interface ReferrerKeys {
  source: string
  channel: string
}

/** The distinct texts of a transaction's visits. Undefined stands for visits without one. */
export interface TextTable<Known> {
  texts: (string | undefined)[]
  /** The description of each text. */
  known: Known[]
  /** The number of visits with each text. */
  visits: number[]
  places: Map<string | undefined, number>
}

const firstCapacity = 4_096

export function createVisitColumns(): VisitColumns {
  return {
    length: 0,
    linkIds: new Float64Array(firstCapacity),
    visitedAt: new Float64Array(firstCapacity),
    misdated: [],
    userAgents: new Uint32Array(firstCapacity),
    referrers: new Uint32Array(firstCapacity),
    countries: new Int16Array(firstCapacity),
    languages: new Int16Array(firstCapacity),
    visitors: new Int32Array(2 * firstCapacity),
    userAgentTexts: noTexts(),
    referrerTexts: noTexts(),
  }
}

/** Makes room for `more` visits. */
export function reserveVisits(columns: VisitColumns, more: number): void {
  const needed = columns.length + more
  if (needed <= columns.linkIds.length) return
  const capacity = Math.max(needed, 2 * columns.linkIds.length)
  columns.linkIds = copied(columns.linkIds, new Float64Array(capacity))
  columns.visitedAt = copied(columns.visitedAt, new Float64Array(capacity))
  columns.userAgents = copied(columns.userAgents, new Uint32Array(capacity))
  columns.referrers = copied(columns.referrers, new Uint32Array(capacity))
  columns.countries = copied(columns.countries, new Int16Array(capacity))
  columns.languages = copied(columns.languages, new Int16Array(capacity))
  columns.visitors = copied(columns.visitors, new Int32Array(2 * capacity))
}

/** Removes all visits, and keeps the arrays. */
export function clearVisits(columns: VisitColumns): void {
  columns.length = 0
  columns.misdated = []
  columns.visitors.fill(0)
  columns.userAgentTexts = noTexts()
  columns.referrerTexts = noTexts()
}

function noTexts<Known>(): TextTable<Known> {
  return { texts: [], known: [], visits: [], places: new Map() }
}

function copied<Column extends { set(from: Column): void }>(from: Column, to: Column): Column {
  to.set(from)
  return to
}

/** Counts a visit with this text, and returns the text's place. */
export function enterText<Known>(
  table: TextTable<Known>,
  text: string | undefined,
  describe: (text: string) => Known,
): number {
  let place = table.places.get(text)
  if (place === undefined) {
    place = table.texts.push(text) - 1
    table.known.push(describe(text ?? ''))
    table.visits.push(0)
    table.places.set(text, place)
  }
  table.visits[place] = (table.visits[place] ?? 0) + 1
  return place
}
