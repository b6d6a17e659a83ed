/**
 * Sums of visits per key, so that a link that gets every visit of a transaction costs one row per table.
 *
 * Visits come sorted by link and time. So those of a key are neighbours, each table's sums come out sorted by key, and
 * nothing is looked up: a visit is added to the last sum of each table, or begins the next one. Breakdowns become text at
 * once, so there is one map at a time. Measured per visit, 45,000 of 20,000 links: 2.0 µs; with maps per key 2.4.
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { addBreakdowns, addCount, storedText } from '@hopcount/shared/breakdowns.ts'
import type { VisitorClass } from '@hopcount/shared/describe-user-agent.ts'
import type { DescribedVisit } from './describe-visits.ts'

export interface Counts {
  visits: number
  bots: number
  previews: number
}

export interface LinkSum extends Counts {
  linkId: number
  /** Milliseconds since 1970. */
  firstVisit: number
  lastVisit: number
}

/** Of a minute or a quarter hour. */
export interface BucketSum extends Counts {
  linkId: number
  /** Milliseconds since 1970 (UTC). */
  start: number
}

export interface DaySum extends Counts {
  linkId: number
  /** Days since 1970 (UTC). */
  day: number
  /** As in a column `breakdowns`. */
  breakdowns: string
}

/** Each sorted by link and time. */
export interface VisitSums {
  links: LinkSum[]
  days: DaySum[]
  quarters: BucketSum[]
  minutes: BucketSum[]
}

/** In the tables it stands for all links together. */
export const allLinks = 0

const nothing: Counts = { visits: 0, bots: 0, previews: 0 }
const minuteMs = 60_000
const quarterMs = 15 * minuteMs

/** The order in which sumVisits() wants its visits. */
export function byLinkAndTime({ visit: a }: DescribedVisit, { visit: b }: DescribedVisit): number {
  return a.linkId - b.linkId || a.visitedAt - b.visitedAt
}

/** Sums visits, sorted by link and time, per link, and per link and day, quarter hour and minute; then of all links. */
export function sumVisits(visits: DescribedVisit[]): { ofLinks: VisitSums; ofAll: VisitSums } {
  const ofLinks: VisitSums = { links: [], days: [], quarters: [], minutes: [] }
  for (const { visit, day, agent } of visits) {
    const { linkId, visitedAt } = visit
    const link = linkSum(ofLinks.links, linkId, visitedAt)
    link.lastVisit = visitedAt
    addVisit(link, agent.class)
    addVisit(daySum(ofLinks.days, linkId, day), agent.class)
    addVisit(bucketSum(ofLinks.quarters, linkId, visitedAt - (visitedAt % quarterMs)), agent.class)
    addVisit(bucketSum(ofLinks.minutes, linkId, visitedAt - (visitedAt % minuteMs)), agent.class)
  }
  const ofAll = sumOfAllLinks(ofLinks)
  sumBreakdowns(visits, ofLinks.days, ofAll.days)
  return { ofLinks, ofAll }
}

/** The same visits as those of all links together; without breakdowns. */
function sumOfAllLinks(sums: VisitSums): VisitSums {
  const links: LinkSum[] = []
  for (const sum of sums.links) {
    const link = linkSum(links, allLinks, sum.firstVisit)
    addCounts(link, sum)
    link.firstVisit = Math.min(link.firstVisit, sum.firstVisit)
    link.lastVisit = Math.max(link.lastVisit, sum.lastVisit)
  }
  const days = sumPer(
    sums.days,
    sum => sum.day,
    day => ({ linkId: allLinks, day, ...nothing, breakdowns: '{}' }),
  )
  const bucketsOfAll = (buckets: BucketSum[]) =>
    sumPer(
      buckets,
      sum => sum.start,
      start => ({ linkId: allLinks, start, ...nothing }),
    )
  return { links, days, quarters: bucketsOfAll(sums.quarters), minutes: bucketsOfAll(sums.minutes) }
}

/** Sorted by time. */
function sumPer<Sum extends Counts>(
  sums: Sum[],
  timeOf: (sum: Sum) => number,
  make: (time: number) => Sum,
): Sum[] {
  const perTime = new Map<number, Sum>()
  for (const sum of sums) {
    const time = timeOf(sum)
    const ofAll = perTime.get(time) ?? make(time)
    perTime.set(time, ofAll)
    addCounts(ofAll, sum)
  }
  return [...perTime.values()].sort((a, b) => timeOf(a) - timeOf(b))
}

/** Visits lie in the order of their links' days, and each of these says how many are its own. */
function sumBreakdowns(visits: DescribedVisit[], days: DaySum[], daysOfAll: DaySum[]): void {
  const ofAll = new Map<number, Breakdowns>()
  for (const { day } of daysOfAll) ofAll.set(day, new Map())
  let end = 0
  for (const day of days) {
    const ofLink: Breakdowns = new Map()
    const begin = end
    end += day.visits
    for (const visit of visits.slice(begin, end)) addVisitTo(ofLink, visit)
    const ofDay = ofAll.get(day.day)
    if (ofDay !== undefined) addBreakdowns(ofDay, ofLink)
    day.breakdowns = storedText(ofLink)
  }
  for (const day of daysOfAll) day.breakdowns = storedText(ofAll.get(day.day) ?? new Map())
}

function addVisitTo(breakdowns: Breakdowns, { agent, referrerKey, country, language }: DescribedVisit): void {
  const people = agent.class === 'human' ? 1 : 0
  addCount(breakdowns, referrerKey, 1, people)
  addCount(breakdowns, country.key, 1, people)
  addCount(breakdowns, agent.browser, 1, people)
  addCount(breakdowns, agent.os, 1, people)
  addCount(breakdowns, agent.device, 1, people)
  addCount(breakdowns, language.key, 1, people)
}

function addVisit(sum: Counts, visitorClass: VisitorClass): void {
  sum.visits++
  if (visitorClass === 'bot') sum.bots++
  else if (visitorClass === 'preview') sum.previews++
}

function addCounts(to: Counts, from: Counts): void {
  to.visits += from.visits
  to.bots += from.bots
  to.previews += from.previews
}

// The last sum where it has the key, else the next one.

function linkSum(sums: LinkSum[], linkId: number, visitedAt: number): LinkSum {
  const last = sums.at(-1)
  if (last?.linkId === linkId) return last
  const next = { linkId, ...nothing, firstVisit: visitedAt, lastVisit: visitedAt }
  sums.push(next)
  return next
}

function daySum(sums: DaySum[], linkId: number, day: number): DaySum {
  const last = sums.at(-1)
  if (last?.linkId === linkId && last.day === day) return last
  const next = { linkId, day, ...nothing, breakdowns: '{}' }
  sums.push(next)
  return next
}

function bucketSum(sums: BucketSum[], linkId: number, start: number): BucketSum {
  const last = sums.at(-1)
  if (last?.linkId === linkId && last.start === start) return last
  const next = { linkId, start, ...nothing }
  sums.push(next)
  return next
}
