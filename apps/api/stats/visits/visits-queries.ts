/** Raw visits, newest first: a link's latest, and pages of one link's or of all links'. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import { rawVisitsOf } from '../subject.ts'

export interface RawVisit {
  visitedAt: Date
  referrer: string | null
  userAgent: string | null
  country: number | null
  language: number | null
  /** Null unless visits of all links are read. */
  slug: string | null
}

/**
 * The visit after which a page begins. Visits have no id, so this is a millisecond, and how many of its visits have
 * been shown. Rows never move, so their place on disk breaks ties, and the order is always the same.
 */
export interface VisitPosition {
  visitedAt: number
  shown: number
}

const minuteMs = 60_000

/** By minute first, like the index, so that for one link only the visits of a minute need sorting. */
export const newestFirst = sql`date_bin('1 minute', visited_at, 'epoch'::timestamptz) DESC, visited_at DESC, tableoid, ctid DESC`

/** The rows of `visits`, a query of raw visits, with their texts, sorted by columns of that query. */
export function visitsWithTexts(visits: RawBuilder<unknown>, linkId: number, order: RawBuilder<unknown>) {
  return sql<RawVisit>`
    SELECT visit.visited_at AS "visitedAt", visit.country, visit.language,
           coalesce(visit.referrer, referrer.text) AS referrer,
           coalesce(visit.user_agent, user_agent.text) AS "userAgent",
           ${linkId === allLinks ? sql`link.slug` : sql`NULL`} AS slug
    FROM (${visits}) AS visit
    LEFT JOIN texts AS referrer ON referrer.id = visit.referrer_id
    LEFT JOIN texts AS user_agent ON user_agent.id = visit.user_agent_id
    ${linkId === allLinks ? sql`LEFT JOIN links AS link ON link.id = visit.link_id` : sql``}
    ORDER BY ${order}`
}

export async function newestVisits(
  database: Database,
  linkId: number,
  limit: number,
  before?: VisitPosition,
  from?: Date,
): Promise<RawVisit[]> {
  const last = before === undefined ? undefined : new Date(before.visitedAt)
  const shown = before?.shown ?? 0
  const back = linkId === allLinks ? await reachBack(database, last, limit + shown) : undefined
  const first = from === undefined || (back !== undefined && back > from) ? back : from
  const { rows } = await visitsWithTexts(
    sql`
      SELECT *, tableoid, ctid FROM visits
      WHERE ${rawVisitsOf(linkId)}
        AND ${last === undefined ? sql`true` : sql`visited_at <= ${last}::timestamptz AND date_bin('1 minute', visited_at, 'epoch'::timestamptz) <= ${last}::timestamptz`}
        AND ${first === undefined ? sql`true` : sql`visited_at >= ${first}::timestamptz AND date_bin('1 minute', visited_at, 'epoch'::timestamptz) >= date_bin('1 minute', ${first}::timestamptz, 'epoch'::timestamptz)`}
      ORDER BY ${newestFirst}
      OFFSET ${shown} LIMIT ${limit}`,
    linkId,
    newestFirst,
  ).execute(database)
  return rows
}

/**
 * How far back one must read for the newest `visits` of all links that are no newer than `last`. No index orders the raw
 * visits of all links by time, but link 0's minutes and quarter hours (old ones are folded into hours) know how many
 * there were. Undefined: back to the beginning.
 */
async function reachBack(
  database: Database,
  last: Date | undefined,
  visits: number,
): Promise<Date | undefined> {
  const before = last === undefined ? undefined : new Date(Math.floor(last.getTime() / minuteMs) * minuteMs)
  const { rows } = await sql<{ start: Date }>`
    WITH minutes AS (
      SELECT minute AS start, sum(visits) OVER (ORDER BY minute DESC) AS visits
      FROM (
        SELECT minute, visits FROM link_minutes
        WHERE link_id = ${allLinks} AND ${before === undefined ? sql`true` : sql`minute < ${before}::timestamptz`}
        ORDER BY minute DESC LIMIT ${visits}
      ) AS newest
    ),
    quarters AS (
      SELECT quarter AS start, sum(visits) OVER (ORDER BY quarter DESC) AS visits
      FROM (
        SELECT quarter, visits FROM link_quarters
        WHERE link_id = ${allLinks}
          AND ${before === undefined ? sql`true` : sql`quarter + interval '1 hour' <= ${before}::timestamptz`}
        ORDER BY quarter DESC LIMIT ${visits}
      ) AS newest
    )
    SELECT max(start) AS start FROM (
      SELECT start, visits FROM minutes UNION ALL SELECT start, visits FROM quarters
    ) AS starts
    WHERE visits >= ${visits}`.execute(database)
  return rows[0]?.start ?? undefined
}

export interface FilteredPage {
  visits: RawVisit[]
  /** Where to go on; undefined: there are no more. */
  next: VisitPosition | undefined
}

/** Few enough not to block redirects. */
const chunkRows = [200, 1_000]

/**
 * The newest visits that match. They are searched for until there are `limit` of them or the time is over: then the page
 * is short, or even empty, and the next one goes on from there.
 */
export async function newestMatching(
  database: Database,
  linkId: number,
  limit: number,
  options: {
    before: VisitPosition | undefined
    from: Date | undefined
    matches: (visit: RawVisit) => boolean
    deadline: number
  },
): Promise<FilteredPage> {
  let position = options.before
  const visits: RawVisit[] = []
  for (let i = 0; i === 0 || performance.now() < options.deadline; i++) {
    const rows = chunkRows[i] ?? chunkRows.at(-1) ?? 0
    const chunk = await newestVisits(database, linkId, rows, position, options.from)
    for (const visit of chunk) {
      position = positionAfter(position, visit)
      if (!options.matches(visit)) continue
      visits.push(visit)
      if (visits.length === limit) return { visits, next: position }
    }
    if (chunk.length < rows) return { visits, next: undefined }
  }
  return { visits, next: position }
}

export function positionAfter(before: VisitPosition | undefined, { visitedAt }: RawVisit): VisitPosition {
  const at = visitedAt.getTime()
  return { visitedAt: at, shown: before?.visitedAt === at ? before.shown + 1 : 1 }
}
