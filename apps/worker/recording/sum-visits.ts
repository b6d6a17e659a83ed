/**
 * Sums of visits per key, so that a link that gets every visit of a transaction costs one row per table.
 *
 * Visits come sorted by link and time. So visits with the same key are neighbours, each table's sums come out sorted by
 * key, and nothing is looked up: a visit is added to the last sum of each table, or starts the next one. Sums are columns,
 * as the SQL statements need them.
 */
import type { VisitorClass } from '@hopcount/shared/agents/describe-user-agent.ts'
import type { Breakdowns, Count } from '@hopcount/shared/breakdowns.ts'
import { addBreakdowns, addCount, listedValues, storedText } from '@hopcount/shared/breakdowns.ts'
import { dayNumber } from '@hopcount/shared/days.ts'
import { countryKey, languageKey } from './describe/code-keys.ts'
import type { UniqueVisitors } from './insert-visitors.ts'
import type { VisitColumns } from './visit-columns.ts'

/** A row per link and time, sorted by both. */
export interface Sums {
  linkIds: number[]
  /** The day number, or the start of the minute or quarter hour in milliseconds since 1970. 0 in sums per link. */
  times: number[]
  visits: number[]
  bots: number[]
  previews: number[]
}

export interface LinkSums extends Sums {
  /** Milliseconds since 1970. */
  firstVisits: number[]
  lastVisits: number[]
  uniques: number[]
}

export interface DaySums extends Sums {
  uniques: number[]
}

/** Rows of breakdown_deltas; a link's day has several where it has more values than a row lists. */
export interface BreakdownDeltas {
  linkIds: number[]
  days: number[]
  /** As in a column `breakdowns`. */
  texts: string[]
}

export interface VisitSums {
  links: LinkSums
  days: DaySums
  deltas: BreakdownDeltas
  quarters: Sums
  minutes: Sums
}

const minuteMs = 60_000
const quarterMs = 15 * minuteMs

/**
 * Sums the visits at these sorted places per link, and per link and day, quarter hour and minute. Adds breakdowns to
 * those of all links, by day.
 */
export function sumVisits(
  visits: VisitColumns,
  places: Uint32Array,
  uniques: UniqueVisitors,
  breakdownsOfAll: Map<number, Breakdowns>,
): VisitSums {
  const sums = noSums()
  const { links, days, quarters, minutes } = sums
  const agents = visits.userAgentTexts.known
  for (const place of places) {
    const linkId = visits.linkIds[place] ?? 0
    const visitedAt = visits.visitedAt[place] ?? 0
    const visitorClass = agents[visits.userAgents[place] ?? 0]?.class
    const link = addVisit(links, linkId, 0, visitorClass)
    if (links.firstVisits.length === link) links.firstVisits.push(visitedAt)
    links.lastVisits[link] = visitedAt
    addVisit(days, linkId, dayNumber(visitedAt), visitorClass)
    addVisit(quarters, linkId, visitedAt - (visitedAt % quarterMs), visitorClass)
    addVisit(minutes, linkId, visitedAt - (visitedAt % minuteMs), visitorClass)
  }
  addUniques(sums, uniques)
  sumBreakdowns(visits, places, sums, breakdownsOfAll)
  return sums
}

function noSums(): VisitSums {
  const none = (): Sums => ({ linkIds: [], times: [], visits: [], bots: [], previews: [] })
  return {
    links: { ...none(), firstVisits: [], lastVisits: [], uniques: [] },
    days: { ...none(), uniques: [] },
    deltas: noDeltas(),
    quarters: none(),
    minutes: none(),
  }
}

/** Adds to the last sum if it has the key, else starts the next one. Returns the sum's row. */
function addVisit(sums: Sums, linkId: number, time: number, visitorClass: VisitorClass | undefined): number {
  const bots = visitorClass === 'bot' ? 1 : 0
  const previews = visitorClass === 'preview' ? 1 : 0
  const last = sums.linkIds.length - 1
  if (sums.linkIds[last] === linkId && sums.times[last] === time) {
    addAt(sums.visits, last, 1)
    addAt(sums.bots, last, bots)
    addAt(sums.previews, last, previews)
    return last
  }
  sums.linkIds.push(linkId)
  sums.times.push(time)
  sums.visits.push(1)
  sums.bots.push(bots)
  sums.previews.push(previews)
  return last + 1
}

function addAt(column: number[], row: number, count: number): void {
  column[row] = (column[row] ?? 0) + count
}

/** Both are sorted by link and day, and a day with unique visitors has visits. */
function addUniques({ links, days }: VisitSums, uniques: UniqueVisitors): void {
  let next = 0
  let link = 0
  links.uniques = links.linkIds.map(() => 0)
  for (const [row, linkId] of days.linkIds.entries()) {
    while (links.linkIds[link] !== linkId) link++
    const isNext = uniques.linkIds[next] === linkId && uniques.days[next] === days.times[row]
    const visitors = isNext ? (uniques.visitors[next++] ?? 0) : 0
    days.uniques.push(visitors)
    addAt(links.uniques, link, visitors)
  }
}

/** Visits are in the order of `days`, each of which says how many are its own. */
function sumBreakdowns(
  visits: VisitColumns,
  places: Uint32Array,
  { days, deltas }: VisitSums,
  ofAll: Map<number, Breakdowns>,
): void {
  let end = 0
  for (const [row, day] of days.times.entries()) {
    const ofLink: Breakdowns = new Map()
    const begin = end
    end += days.visits[row] ?? 0
    for (let at = begin; at < end; at++) addVisitTo(ofLink, visits, places[at] ?? 0)
    const ofDay = ofAll.get(day) ?? new Map()
    ofAll.set(day, ofDay)
    addBreakdowns(ofDay, ofLink)
    addDelta(deltas, days.linkIds[row] ?? 0, day, ofLink)
  }
}

export function noDeltas(): BreakdownDeltas {
  return { linkIds: [], days: [], texts: [] }
}

/** In rows of bounded size, whatever the number of values. */
export function addDelta(to: BreakdownDeltas, linkId: number, day: number, breakdowns: Breakdowns): void {
  const parts = breakdowns.size <= listedValues ? [breakdowns] : partsOf(breakdowns)
  for (const part of parts) {
    to.linkIds.push(linkId)
    to.days.push(day)
    to.texts.push(storedText(part))
  }
}

function partsOf(breakdowns: Breakdowns): [string, Count][][] {
  const entries = [...breakdowns]
  return Array.from({ length: Math.ceil(entries.length / listedValues) }, (_, part) =>
    entries.slice(part * listedValues, (part + 1) * listedValues),
  )
}

function addVisitTo(breakdowns: Breakdowns, visits: VisitColumns, place: number): void {
  const agent = visits.userAgentTexts.known[visits.userAgents[place] ?? 0]
  const referrer = visits.referrerTexts.known[visits.referrers[place] ?? 0]
  if (agent === undefined || referrer === undefined) throw new RangeError(`no text of visit ${place}`)
  const humans = agent.class === 'human' ? 1 : 0
  addCount(breakdowns, referrer.source, 1, humans)
  addCount(breakdowns, referrer.channel, 1, humans)
  addCount(breakdowns, countryKey(visits.countries[place] ?? 0), 1, humans)
  addCount(breakdowns, agent.browser, 1, humans)
  addCount(breakdowns, agent.os, 1, humans)
  addCount(breakdowns, agent.device, 1, humans)
  // Of humans the name is empty, which readers add as what is missing: two keys fewer in nearly every row.
  if (humans === 0) {
    addCount(breakdowns, agent.bot, 1, 0)
    addCount(breakdowns, agent.botGroup, 1, 0)
  }
  addCount(breakdowns, languageKey(visits.languages[place] ?? 0), 1, humans)
}
