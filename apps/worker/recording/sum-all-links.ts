/** The sums of all links: added up over the slices of a transaction, and written after them. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import type { Sums, VisitSums } from './sum-visits.ts'
import { addDelta, noDeltas } from './sum-visits.ts'

export interface SumsOfAll {
  /** Milliseconds since 1970. */
  firstVisit: number
  lastVisit: number
  links: CountsPerTime
  days: CountsPerTime
  quarters: CountsPerTime
  minutes: CountsPerTime
  /** By day. */
  breakdowns: Map<number, Breakdowns>
}

type CountsPerTime = Map<number, Counts>

interface Counts {
  visits: number
  bots: number
  previews: number
  uniques: number
}

export function createSumsOfAll(): SumsOfAll {
  return {
    firstVisit: Number.POSITIVE_INFINITY,
    lastVisit: 0,
    links: new Map(),
    days: new Map(),
    quarters: new Map(),
    minutes: new Map(),
    breakdowns: new Map(),
  }
}

/** Adds everything except breakdowns, which sumVisits() adds itself. */
export function addToSumsOfAll(ofAll: SumsOfAll, { links, days, quarters, minutes }: VisitSums): void {
  for (const visit of links.firstVisits) ofAll.firstVisit = Math.min(ofAll.firstVisit, visit)
  for (const visit of links.lastVisits) ofAll.lastVisit = Math.max(ofAll.lastVisit, visit)
  addPerTime(ofAll.links, links, links.uniques)
  addPerTime(ofAll.days, days, days.uniques)
  addPerTime(ofAll.quarters, quarters)
  addPerTime(ofAll.minutes, minutes)
}

function addPerTime(to: CountsPerTime, { times, visits, bots, previews }: Sums, uniques?: number[]): void {
  for (const [row, time] of times.entries()) {
    let counts = to.get(time)
    if (counts === undefined) {
      counts = { visits: 0, bots: 0, previews: 0, uniques: 0 }
      to.set(time, counts)
    }
    counts.visits += visits[row] ?? 0
    counts.bots += bots[row] ?? 0
    counts.previews += previews[row] ?? 0
    counts.uniques += uniques?.[row] ?? 0
  }
}

/** As if all links were one link, whose id is `allLinks`. */
export function columnsOfAll(ofAll: SumsOfAll): VisitSums {
  const deltas = noDeltas()
  for (const [day, breakdowns] of ofAll.breakdowns) addDelta(deltas, allLinks, day, breakdowns)
  return {
    links: { ...columns(ofAll.links), firstVisits: [ofAll.firstVisit], lastVisits: [ofAll.lastVisit] },
    days: columns(ofAll.days),
    deltas,
    quarters: columns(ofAll.quarters),
    minutes: columns(ofAll.minutes),
  }
}

function columns(perTime: CountsPerTime): Sums & { uniques: number[] } {
  const rows = [...perTime].sort(([a], [b]) => a - b)
  return {
    linkIds: rows.map(() => allLinks),
    times: rows.map(([time]) => time),
    visits: rows.map(([, counts]) => counts.visits),
    bots: rows.map(([, counts]) => counts.bots),
    previews: rows.map(([, counts]) => counts.previews),
    uniques: rows.map(([, counts]) => counts.uniques),
  }
}
