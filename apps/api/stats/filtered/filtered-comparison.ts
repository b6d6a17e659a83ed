/**
 * The filtered visits of the range that a filtered report is compared with. They are counted from raw visits, too, within
 * bounds of their own: where these don't suffice, or raw visits are no longer kept, the report comes without a comparison.
 * Such a range is over, so what was counted is remembered for a minute.
 */
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { LRUCache } from 'lru-cache'
import { countFiltered } from '../raw/count-filtered.ts'
import type { Filters } from '../raw/filters.ts'
import type { BucketsBefore } from '../series/buckets-before.ts'
import { cutAt } from '../series/read-series.ts'
import type { Bucket } from '../series/series-queries.ts'

export interface FilteredBefore {
  cut: BucketsBefore
  /** Of the cut buckets. */
  parts: Bucket[]
  /** While the report's range is in progress: up to the same point. */
  breakdowns: Breakdowns
}

export interface FilteredComparisons {
  /** Undefined: not known. `key` names everything that the counts depend on, but for the ranges. */
  count(
    database: Database,
    query: { key: string; linkId: number; before: BucketsBefore; filters: Filters },
  ): Promise<FilteredBefore | undefined>
}

const keptMs = 60_000
/** All comparisons remembered together. A value takes some 100 bytes. */
const maxRememberedValues = 100_000

export function filteredComparisons(): FilteredComparisons {
  const counted = new LRUCache<string, { result: FilteredBefore | undefined }>({
    maxSize: maxRememberedValues,
    sizeCalculation: ({ result }) =>
      result === undefined ? 1 : result.breakdowns.size + result.parts.length,
    ttl: keptMs,
  })
  return {
    async count(database, { key, linkId, before, filters }) {
      const limits = [before.starts[0], before.soFar, before.end].map(Number)
      const fullKey = `${key} ${linkId} ${limits.join(' ')}`
      const known = counted.get(fullKey)
      if (known !== undefined) return known.result
      const result = await countBefore(database, linkId, before, filters)
      counted.set(fullKey, { result })
      return result
    },
  }
}

/** Up to the point that corresponds to now, and from there on, since values are compared up to there. */
async function countBefore(
  database: Database,
  linkId: number,
  before: BucketsBefore,
  filters: Filters,
): Promise<FilteredBefore | undefined> {
  const cut = cutAt(before, before.soFar)
  const { interval, starts, end, soFar = end } = cut
  const parts: Bucket[] = []
  let breakdowns: Breakdowns = new Map()
  const early = { interval, starts: starts.filter(start => start < soFar), end: soFar }
  const late = { interval, starts: starts.filter(start => start >= soFar), end }
  for (const range of [early, late]) {
    if (range.starts.length === 0) continue
    const counts = await countFiltered(database, linkId, range, filters)
    if ('tooMuch' in counts) return undefined
    parts.push(...counts.series)
    if (range === early) breakdowns = counts.breakdowns
  }
  return { cut, parts, breakdowns }
}
