/**
 * Sums of visits per key, so that a link that gets every visit of a transaction costs one row per table.
 *
 * Visits come sorted by link and time. So those of a key are neighbours, each table's sums come out sorted by key, and
 * nothing is looked up: a visit is added to the last sum of each table, or begins the next one. Sums are columns, as the
 * statements want them.
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { addBreakdowns, addCount, storedText } from '@hopcount/shared/breakdowns.ts'
import type { VisitorClass } from '@hopcount/shared/describe-user-agent.ts'
import { countryKey, languageKey } from './code-keys.ts'
import { dayOf } from './describe-visits.ts'
import type { UniqueVisitors } from './insert-visitors.ts'
import type { VisitColumns } from './visit-columns.ts'

/** Of the visits of a link and a time, a row each; sorted by both. */
export interface Sums {
  linkIds: number[]
  /** Days since 1970 (UTC), or where the minute or quarter hour starts in milliseconds since 1970; 0 in sums of a link. */
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
  /** As in a column `breakdowns`. */
  breakdowns: string[]
}

export interface VisitSums {
  links: LinkSums
  days: DaySums
  quarters: Sums
  minutes: Sums
}

/** In the tables it stands for all links together. */
export const allLinks = 0

const minuteMs = 60_000
const quarterMs = 15 * minuteMs

/** The places of the visits in these ranges, by link and time. */
export function sortedPlaces(
  { linkIds, visitedAt }: VisitColumns,
  ranges: { begin: number; end: number }[],
): Uint32Array {
  const places = new Uint32Array(ranges.reduce((sum, { begin, end }) => sum + end - begin, 0))
  let length = 0
  for (const { begin, end } of ranges) for (let place = begin; place < end; place++) places[length++] = place
  const difference = (column: Float64Array, a: number, b: number) => (column[a] ?? 0) - (column[b] ?? 0)
  return places.sort((a, b) => difference(linkIds, a, b) || difference(visitedAt, a, b))
}

/** Sums the visits at these sorted places per link, and per link and day, quarter hour and minute; then of all links. */
export function sumVisits(
  visits: VisitColumns,
  places: Uint32Array,
  uniques: UniqueVisitors,
): { ofLinks: VisitSums; ofAll: VisitSums } {
  const ofLinks = noSums()
  const { links, days, quarters, minutes } = ofLinks
  const agents = visits.userAgentTexts.known
  for (const place of places) {
    const linkId = visits.linkIds[place] ?? 0
    const visitedAt = visits.visitedAt[place] ?? 0
    const visitorClass = agents[visits.userAgents[place] ?? 0]?.class
    const link = addVisit(links, linkId, 0, visitorClass)
    if (links.firstVisits.length === link) links.firstVisits.push(visitedAt)
    links.lastVisits[link] = visitedAt
    addVisit(days, linkId, dayOf(visitedAt), visitorClass)
    addVisit(quarters, linkId, visitedAt - (visitedAt % quarterMs), visitorClass)
    addVisit(minutes, linkId, visitedAt - (visitedAt % minuteMs), visitorClass)
  }
  addUniques(ofLinks, uniques)
  const ofAll = sumOfAllLinks(ofLinks)
  sumBreakdowns(visits, places, days, ofAll.days)
  return { ofLinks, ofAll }
}

function noSums(): VisitSums {
  const none = (): Sums => ({ linkIds: [], times: [], visits: [], bots: [], previews: [] })
  return {
    links: { ...none(), firstVisits: [], lastVisits: [], uniques: [] },
    days: { ...none(), uniques: [], breakdowns: [] },
    quarters: none(),
    minutes: none(),
  }
}

/** Adds to the last sum where it has the key, else begins the next one; returns its row. */
function addVisit(sums: Sums, linkId: number, time: number, visitorClass: VisitorClass | undefined): number {
  return addCounts(sums, linkId, time, 1, visitorClass === 'bot' ? 1 : 0, visitorClass === 'preview' ? 1 : 0)
}

function addCounts(
  sums: Sums,
  linkId: number,
  time: number,
  visits: number,
  bots: number,
  previews: number,
): number {
  const last = sums.linkIds.length - 1
  if (sums.linkIds[last] === linkId && sums.times[last] === time) {
    addAt(sums.visits, last, visits)
    addAt(sums.bots, last, bots)
    addAt(sums.previews, last, previews)
    return last
  }
  sums.linkIds.push(linkId)
  sums.times.push(time)
  sums.visits.push(visits)
  sums.bots.push(bots)
  sums.previews.push(previews)
  return last + 1
}

function addAt(column: number[], row: number, count: number): void {
  column[row] = (column[row] ?? 0) + count
}

/** Both are sorted by link and day, and who came on a day is among its visits. */
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

/** The same visits as those of all links together; without breakdowns. */
function sumOfAllLinks({ links, days, quarters, minutes }: VisitSums): VisitSums {
  const ofAll: VisitSums = {
    links: { ...sumPerTime(links), firstVisits: [], lastVisits: [], uniques: [] },
    days: { ...sumPerTime(days), uniques: [], breakdowns: [] },
    quarters: sumPerTime(quarters),
    minutes: sumPerTime(minutes),
  }
  ofAll.links.firstVisits.push(links.firstVisits.reduce((first, visit) => Math.min(first, visit), Infinity))
  ofAll.links.lastVisits.push(links.lastVisits.reduce((last, visit) => Math.max(last, visit), 0))
  ofAll.links.uniques.push(links.uniques.reduce((sum, visitors) => sum + visitors, 0))
  const rowOfDay = new Map(ofAll.days.times.map((day, row) => [day, row]))
  ofAll.days.uniques = ofAll.days.times.map(() => 0)
  for (const [row, day] of days.times.entries())
    addAt(ofAll.days.uniques, rowOfDay.get(day) ?? 0, days.uniques[row] ?? 0)
  return ofAll
}

function sumPerTime({ times, visits, bots, previews }: Sums): Sums {
  const sums: Sums = { linkIds: [], times: [], visits: [], bots: [], previews: [] }
  const rows = [...times.keys()].sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0))
  for (const row of rows)
    addCounts(sums, allLinks, times[row] ?? 0, visits[row] ?? 0, bots[row] ?? 0, previews[row] ?? 0)
  return sums
}

/** Visits lie in the order of their links' days, and each of these says how many are its own. */
function sumBreakdowns(visits: VisitColumns, places: Uint32Array, days: DaySums, daysOfAll: DaySums): void {
  const ofAll = new Map<number, Breakdowns>(daysOfAll.times.map(day => [day, new Map()]))
  let end = 0
  for (const [row, day] of days.times.entries()) {
    const ofLink: Breakdowns = new Map()
    const begin = end
    end += days.visits[row] ?? 0
    for (let at = begin; at < end; at++) addVisitTo(ofLink, visits, places[at] ?? 0)
    const ofDay = ofAll.get(day)
    if (ofDay !== undefined) addBreakdowns(ofDay, ofLink)
    days.breakdowns.push(storedText(ofLink))
  }
  for (const ofDay of ofAll.values()) daysOfAll.breakdowns.push(storedText(ofDay))
}

function addVisitTo(breakdowns: Breakdowns, visits: VisitColumns, place: number): void {
  const agent = visits.userAgentTexts.known[visits.userAgents[place] ?? 0]
  const referrerKey = visits.referrerTexts.known[visits.referrers[place] ?? 0]
  if (agent === undefined || referrerKey === undefined) throw new RangeError(`no text of visit ${place}`)
  const people = agent.class === 'human' ? 1 : 0
  addCount(breakdowns, referrerKey, 1, people)
  addCount(breakdowns, countryKey(visits.countries[place] ?? 0), 1, people)
  addCount(breakdowns, agent.browser, 1, people)
  addCount(breakdowns, agent.os, 1, people)
  addCount(breakdowns, agent.device, 1, people)
  addCount(breakdowns, languageKey(visits.languages[place] ?? 0), 1, people)
}
