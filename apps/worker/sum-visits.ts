/** Sums of visits per key, so that a link that gets every visit of a transaction costs one row per table. */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { addBreakdowns, addCount } from '@hopcount/shared/breakdowns.ts'
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
  breakdowns: Breakdowns
}

export interface VisitSums {
  links: LinkSum[]
  days: DaySum[]
  quarters: BucketSum[]
  minutes: BucketSum[]
}

/** In the tables it stands for all links together. */
export const allLinks = 0

const minuteMs = 60_000
const quarterMs = 15 * minuteMs

/** Sums visits per link, and per link and day, quarter hour and minute, each sorted by key. */
export function sumVisits(visits: DescribedVisit[]): VisitSums {
  const links = new Map<number, LinkSum>()
  const minutes = new Map<number, Map<number, BucketSum>>()
  const days = new Map<number, Map<number, DaySum>>()
  for (const described of visits) {
    const { agent } = described
    const { linkId, visitedAt } = described.visit
    const people = agent.class === 'human' ? 1 : 0
    const link = links.get(linkId)
    if (link === undefined) {
      const counts = { visits: 0, bots: 0, previews: 0 }
      links.set(
        linkId,
        addVisit({ linkId, ...counts, firstVisit: visitedAt, lastVisit: visitedAt }, agent.class),
      )
    } else {
      addVisit(link, agent.class)
      if (visitedAt < link.firstVisit) link.firstVisit = visitedAt
      if (visitedAt > link.lastVisit) link.lastVisit = visitedAt
    }
    addVisit(bucketOf(minutes, visitedAt - (visitedAt % minuteMs), linkId), agent.class)
    const day = dayOfLink(days, described.day, linkId)
    addVisit(day, agent.class)
    addCount(day.breakdowns, described.referrerKey, 1, people)
    addCount(day.breakdowns, described.country.key, 1, people)
    addCount(day.breakdowns, agent.browser, 1, people)
    addCount(day.breakdowns, agent.os, 1, people)
    addCount(day.breakdowns, agent.device, 1, people)
    addCount(day.breakdowns, described.language.key, 1, people)
  }
  const minuteSums = valuesOf(minutes)
  return {
    links: [...links.values()].sort((a, b) => a.linkId - b.linkId),
    days: valuesOf(days).sort((a, b) => a.linkId - b.linkId || a.day - b.day),
    quarters: sumBuckets(minuteSums, minute => [minute.start - (minute.start % quarterMs), minute.linkId]),
    minutes: minuteSums.sort((a, b) => a.linkId - b.linkId || a.start - b.start),
  }
}

/** The same visits as those of all links together. */
export function sumOfAllLinks(sums: VisitSums): VisitSums {
  const [first, ...others] = sums.links
  if (first === undefined) return { links: [], days: [], quarters: [], minutes: [] }
  const link: LinkSum = { ...first, linkId: allLinks }
  for (const other of others) {
    addCounts(link, other)
    link.firstVisit = Math.min(link.firstVisit, other.firstVisit)
    link.lastVisit = Math.max(link.lastVisit, other.lastVisit)
  }
  const days = new Map<number, Map<number, DaySum>>()
  for (const day of sums.days) {
    const sum = dayOfLink(days, day.day, allLinks)
    addCounts(sum, day)
    addBreakdowns(sum.breakdowns, day.breakdowns)
  }
  return {
    links: [link],
    days: valuesOf(days).sort((a, b) => a.day - b.day),
    quarters: sumBuckets(sums.quarters, quarter => [quarter.start, allLinks]),
    minutes: sumBuckets(sums.minutes, minute => [minute.start, allLinks]),
  }
}

function sumBuckets(
  buckets: BucketSum[],
  keyOf: (bucket: BucketSum) => [start: number, linkId: number],
): BucketSum[] {
  const sums = new Map<number, Map<number, BucketSum>>()
  for (const bucket of buckets) addCounts(bucketOf(sums, ...keyOf(bucket)), bucket)
  return valuesOf(sums).sort((a, b) => a.linkId - b.linkId || a.start - b.start)
}

function addVisit<Sum extends Counts>(sum: Sum, visitorClass: VisitorClass): Sum {
  sum.visits++
  if (visitorClass === 'bot') sum.bots++
  else if (visitorClass === 'preview') sum.previews++
  return sum
}

function addCounts(to: Counts, from: Counts): void {
  to.visits += from.visits
  to.bots += from.bots
  to.previews += from.previews
}

function bucketOf(sums: Map<number, Map<number, BucketSum>>, start: number, linkId: number): BucketSum {
  return sumOf(sums, start, linkId, () => ({ linkId, start, visits: 0, bots: 0, previews: 0 }))
}

function dayOfLink(sums: Map<number, Map<number, DaySum>>, day: number, linkId: number): DaySum {
  return sumOf(sums, day, linkId, () => ({
    linkId,
    day,
    visits: 0,
    bots: 0,
    previews: 0,
    breakdowns: new Map(),
  }))
}

function sumOf<Sum>(sums: Map<number, Map<number, Sum>>, time: number, linkId: number, make: () => Sum): Sum {
  let linksOfTime = sums.get(time)
  if (linksOfTime === undefined) {
    linksOfTime = new Map()
    sums.set(time, linksOfTime)
  }
  let sum = linksOfTime.get(linkId)
  if (sum === undefined) {
    sum = make()
    linksOfTime.set(linkId, sum)
  }
  return sum
}

function valuesOf<Sum>(sums: Map<number, Map<number, Sum>>): Sum[] {
  return [...sums.values()].flatMap(linksOfTime => [...linksOfTime.values()])
}
