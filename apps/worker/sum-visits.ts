import type { DecodedVisit } from '@hopcount/shared/visit-batch.ts'

export interface LinkSum {
  linkId: number
  visits: number
  /** Milliseconds since 1970. */
  firstVisit: number
  lastVisit: number
}

export interface QuarterSum {
  linkId: number
  /** Start of the quarter hour (UTC), milliseconds since 1970. */
  quarter: number
  visits: number
}

const quarterMs = 15 * 60 * 1_000

/** Sums visits per link, and per link and quarter hour, both sorted by key. */
export function sumVisits(visits: DecodedVisit[]): { links: LinkSum[]; quarters: QuarterSum[] } {
  const links = new Map<number, LinkSum>()
  const quarters = new Map<number, Map<number, QuarterSum>>()
  for (const { linkId, visitedAt } of visits) {
    const link = links.get(linkId)
    if (link === undefined)
      links.set(linkId, { linkId, visits: 1, firstVisit: visitedAt, lastVisit: visitedAt })
    else {
      link.visits++
      if (visitedAt < link.firstVisit) link.firstVisit = visitedAt
      if (visitedAt > link.lastVisit) link.lastVisit = visitedAt
    }
    const quarter = visitedAt - (visitedAt % quarterMs)
    let linksOfQuarter = quarters.get(quarter)
    if (linksOfQuarter === undefined) {
      linksOfQuarter = new Map()
      quarters.set(quarter, linksOfQuarter)
    }
    const sum = linksOfQuarter.get(linkId)
    if (sum === undefined) linksOfQuarter.set(linkId, { linkId, quarter, visits: 1 })
    else sum.visits++
  }
  return {
    links: [...links.values()].sort((a, b) => a.linkId - b.linkId),
    quarters: [...quarters.values()]
      .flatMap(linksOfQuarter => [...linksOfQuarter.values()])
      .sort((a, b) => a.linkId - b.linkId || a.quarter - b.quarter),
  }
}
