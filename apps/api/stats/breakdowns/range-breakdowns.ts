/**
 * The breakdowns of any range: whole UTC days from aggregates, and the parts of days at its ends from raw visits. Both are
 * read in one snapshot with the counts of the series, so that all of them add up.
 *
 * Raw visits are read within the bounds of filtered reports, and what was counted at an edge is remembered: it stays the
 * same for as long as no visit is added to that day. Where raw visits can't be had, the range is widened to whole UTC days.
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { LRUCache } from 'lru-cache'
import type { Counts } from '../counts.ts'
import { countsOf, sumCounts } from '../counts.ts'
import { countRaw, inBoundedSnapshot, rawDeadline } from '../raw/count-filtered.ts'
import { readFilters } from '../raw/filters.ts'
import { visitSeries } from '../series/series-queries.ts'
import type { Buckets } from '../series/series-range.ts'
import type { Turns } from '../turns.ts'
import type { CompleteValues } from './breakdown-queries.ts'
import { sumDays, sumDaysAnd } from './breakdown-queries.ts'
import type { Range } from './breakdown-range.ts'
import { isWholeDays, touchedDays } from './breakdown-range.ts'
import type { WidenedBecause } from './breakdown-schema.ts'
import type { DayEdge, EdgePlan } from './day-edges.ts'
import { planEdges } from './day-edges.ts'

export interface RangeSums extends Range {
  /** Set if the range is not the requested one, but the UTC days that it touches. */
  because: WidenedBecause | undefined
  counts: Counts
  /** Undefined: not known, since the range does not consist of whole UTC days. */
  uniques: number | undefined
  breakdowns: Breakdowns
}

export interface RangeBreakdowns {
  sum(database: Database, linkId: number, buckets: Buckets, complete: CompleteValues): Promise<RangeSums>
}

/** All edges remembered together. A value takes some 100 bytes. */
const maxRememberedValues = 200_000
/** Until a range whose edges took too long is tried again. */
const retryAfterMs = 60_000

/** `turns` limits how many requests read raw visits at once. */
export function rangeBreakdowns(turns: Turns): RangeBreakdowns {
  const edges = new LRUCache<string, { dayVisits: number; breakdowns: Breakdowns }>({
    maxSize: maxRememberedValues,
    sizeCalculation: ({ breakdowns }) => breakdowns.size + 10,
  })
  const tooLong = new LRUCache<string, true>({ max: 1_000, ttl: retryAfterMs })

  return { sum }

  async function sum(
    database: Database,
    linkId: number,
    buckets: Buckets,
    complete: CompleteValues,
  ): Promise<RangeSums> {
    const range = rangeOf(buckets)
    if (isWholeDays(range)) return widened(database, linkId, range, complete, undefined)
    const plan = await planEdges(database, linkId, range)
    if ('because' in plan) return widened(database, linkId, range, complete, plan.because)
    const key = edgeKey(linkId, range)
    if (tooLong.has(key)) return widened(database, linkId, range, complete, 'too_many_visits')
    const endTurn = isRemembered(linkId, plan) ? undefined : await turns.take()
    try {
      const sums = await inBoundedSnapshot(database, snapshot =>
        sumExactly(snapshot, linkId, buckets, complete),
      )
      if ('because' in sums) return widened(database, linkId, range, complete, sums.because)
      if (!('tooMuch' in sums)) return { ...range, ...sums, because: undefined, uniques: undefined }
      tooLong.set(key, true)
      return widened(database, linkId, range, complete, 'too_many_visits')
    } finally {
      endTurn?.()
    }
  }

  function isRemembered(linkId: number, plan: EdgePlan): boolean {
    return plan.edges.every(edge => edges.get(edgeKey(linkId, edge))?.dayVisits === edge.dayVisits)
  }

  async function sumExactly(snapshot: Database, linkId: number, buckets: Buckets, complete: CompleteValues) {
    const range = rangeOf(buckets)
    const plan = await planEdges(snapshot, linkId, range)
    if ('because' in plan) return plan
    const deadline = rawDeadline()
    const parts: Breakdowns[] = []
    for (const edge of plan.edges) parts.push(await edgeBreakdowns(snapshot, linkId, edge, deadline))
    const counts = await visitSeries(snapshot, linkId, {
      interval: buckets.interval,
      starts: [range.from],
      end: range.to,
    })
    const { breakdowns } = await sumDaysAnd(parts, snapshot, linkId, plan.days, complete)
    return { counts: sumCounts(counts), breakdowns }
  }

  async function edgeBreakdowns(
    snapshot: Database,
    linkId: number,
    edge: DayEdge,
    deadline: number,
  ): Promise<Breakdowns> {
    const { from, to, dayVisits } = edge
    const key = edgeKey(linkId, edge)
    const remembered = edges.get(key)
    if (remembered?.dayVisits === dayVisits) return remembered.breakdowns
    const buckets = { interval: 'day' as const, starts: [from], end: to }
    const { breakdowns } = await countRaw(snapshot, linkId, buckets, readFilters({}), deadline)
    edges.set(key, { dayVisits, breakdowns })
    return breakdowns
  }
}

async function widened(
  database: Database,
  linkId: number,
  range: Range,
  complete: CompleteValues,
  because: WidenedBecause | undefined,
): Promise<RangeSums> {
  const days = touchedDays(range)
  const { breakdowns, ...sums } = await sumDays(database, linkId, days, complete)
  return { ...days, because, counts: countsOf(sums), uniques: sums.uniques, breakdowns }
}

function rangeOf({ starts, end }: Buckets): Range {
  return { from: starts[0] ?? end, to: end }
}

function edgeKey(linkId: number, { from, to }: Range): string {
  return `${linkId} ${from.getTime()} ${to.getTime()}`
}
