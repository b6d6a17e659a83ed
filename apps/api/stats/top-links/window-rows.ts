/** A window's figures per link, as a query over the aggregate tables. */
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { TopSort } from './ranked-page.ts'
import { rowValue } from './ranked-page.ts'
import type { Span, SplitSpan, TopWindow } from './top-window.ts'
import { splitSpan } from './top-window.ts'

/**
 * Rows that add up to a window's figures per link: `visits`, `bots`, `previews`, `uniques` (complete
 * only if the window consists of whole UTC days) and `before`, the visits in the period before, where the sort order needs them.
 */
export function windowRows(
  window: TopWindow,
  sort: TopSort,
  links: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const { wholeDays, edges } = splitSpan(window)
  const parts = [
    sql`SELECT link_id, visits, bots, previews, uniques, 0 AS before FROM link_days WHERE ${isOnDays(wholeDays)} AND ${links}`,
    ...edges.map(
      edge =>
        sql`SELECT link_id, visits, bots, previews, 0, 0 FROM link_quarters WHERE ${isInQuarters(edge)} AND ${links}`,
    ),
    ...(sort === 'growth' ? rowsBefore(splitSpan(window.before), links) : []),
  ]
  return sql.join(parts, sql` UNION ALL `)
}

function rowsBefore({ wholeDays, edges }: SplitSpan, links: RawBuilder<unknown>): RawBuilder<unknown>[] {
  return [
    sql`SELECT link_id, 0, 0, 0, 0, visits FROM link_days WHERE ${isOnDays(wholeDays)} AND ${links}`,
    ...edges.map(
      edge =>
        sql`SELECT link_id, 0, 0, 0, 0, visits FROM link_quarters WHERE ${isInQuarters(edge)} AND ${links}`,
    ),
  ]
}

/** The value of one link's rows together. */
export function windowValue(sort: TopSort): RawBuilder<unknown> {
  if (sort === 'growth') return sql`(sum(visits) - sum(before))::bigint`
  return sql`sum(${rowValue(sort)})::bigint`
}

export function isOnDays(days: string[]): RawBuilder<unknown> {
  return sql`day >= ${days[0] ?? 'infinity'}::date AND day <= ${days.at(-1) ?? '-infinity'}::date AND day = ANY(${days}::date[])`
}

function isInQuarters({ from, to }: Span): RawBuilder<unknown> {
  return sql`quarter >= ${from}::timestamptz AND quarter < ${to}::timestamptz`
}
