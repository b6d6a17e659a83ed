/**
 * Visits that pass a combination of filters, counted from the raw rows: aggregates hold each dimension by itself. So
 * this is the one report whose time grows with the number of visits, and it is bounded: in time, in groups, in memory
 * (groups are read piece by piece) and in how long it keeps the process from its redirects at a stretch.
 */
import { setImmediate as otherWork } from 'node:timers/promises'
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { addCount } from '@hopcount/shared/breakdowns.ts'
import type { Database } from '@hopcount/shared/database.ts'
import type { UserAgent, VisitorClass } from '@hopcount/shared/describe-user-agent.ts'
import { lettersOf } from '@hopcount/shared/letter-codes.ts'
import type { RawBuilder } from 'kysely'
import { sql } from 'kysely'
import type { Counts } from './counts.ts'
import { loadTextDescriber } from './describe-texts.ts'
import type { Bucket } from './series-queries.ts'
import type { Buckets } from './series-range.ts'
import { readInPieces } from './streaming-database.ts'
import { rawVisitsOf } from './subject.ts'
import { dayText } from './top-window.ts'
import { countryOf } from './visit-answer.ts'

export interface Filters {
  class?: VisitorClass | undefined
  referrer?: string | undefined
  browser?: string | undefined
  os?: string | undefined
  device?: string | undefined
  /** Codes of letters; null: not told. */
  country?: number | null | undefined
  language?: number | null | undefined
}

export interface FilteredVisits {
  series: Bucket[]
  breakdowns: Breakdowns
}

/** Why there is no answer. */
export type TooMuch = { tooMuch: 'time' | 'groups' } | { tooMuch: 'retention'; earliest: Date }

/** Thrown, so that the transaction is rolled back with its cursor. */
class TooMuchError extends Error {
  readonly what: 'time' | 'groups'

  constructor(what: 'time' | 'groups') {
    super(`too many visits: ${what}`)
    this.what = what
  }
}

const maxMs = 2_000
const maxGroups = 100_000
const groupsAtATime = 2_000
/** Redirects wait no longer than this for the describing of user agents. */
const sliceMs = 5

/** Visits of the subject in the buckets that pass the filters: per bucket, and per value of each dimension. */
export async function countFiltered(
  database: Database,
  linkId: number,
  buckets: Buckets,
  filters: Filters,
): Promise<FilteredVisits | TooMuch> {
  try {
    return await database
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async snapshot => {
        await sql`SELECT set_config('statement_timeout', ${String(maxMs)}, true)`.execute(snapshot)
        const reach = await rawVisitsReach(snapshot, linkId, buckets)
        if (reach !== undefined) return reach
        return countGroups(
          readInPieces(snapshot, groupsOf(linkId, buckets, filters), groupsAtATime),
          buckets,
          filters,
        )
      })
  } catch (error) {
    if (error instanceof TooMuchError) return { tooMuch: error.what }
    // SQLSTATE query_canceled: the statement timeout.
    if (error instanceof Error && 'code' in error && error.code === '57014') return { tooMuch: 'time' }
    throw error
  }
}

/** Undefined where the raw visits of all visits counted in the range are kept. */
async function rawVisitsReach(
  database: Database,
  linkId: number,
  { starts, end }: Buckets,
): Promise<TooMuch | undefined> {
  const firstDay = dayText((starts[0] ?? end).getTime())
  const { rows } = await sql<{ earliest: string }>`
    SELECT raw_visits_from::text AS earliest FROM retention
    WHERE raw_visits_from > ${firstDay}::date AND EXISTS (
      SELECT FROM link_days
      WHERE link_id = ${linkId} AND day >= ${firstDay}::date AND day <= ${dayText(end.getTime() - 1)}::date AND day < raw_visits_from
    )`.execute(database)
  const earliest = rows[0]?.earliest
  return earliest === undefined
    ? undefined
    : { tooMuch: 'retention', earliest: new Date(`${earliest}T00:00:00Z`) }
}

interface Group {
  /** Which of the four groupings it belongs to: a bit of PostgreSQL's GROUPING() for each that it is not. */
  mask: number
  bucket: number | null
  country: number | null
  language: number | null
  referrer: string | null
  userAgent: string | null
  visits: number
}

/**
 * Texts are described by the process, so each grouping has the user agent (and, where it is filtered by, the
 * referrer) beside its own: four small sets of groups instead of the product of all.
 */
function groupsOf(linkId: number, { starts, end }: Buckets, filters: Filters): RawBuilder<Group> {
  const from = starts[0] ?? end
  const referrer = sql`referrer_id, referrer`
  const described =
    filters.referrer === undefined
      ? sql`user_agent_id, user_agent`
      : sql`user_agent_id, user_agent, ${referrer}`
  return sql<Group>`
    SELECT counted.mask, counted.bucket, counted.country, counted.language,
           coalesce(counted.referrer, referrer.text) AS referrer,
           coalesce(counted.user_agent, user_agent.text) AS "userAgent", counted.visits
    FROM (
      SELECT GROUPING(bucket, country, language) AS mask, bucket, country, language,
             referrer_id, referrer, user_agent_id, user_agent, count(*) AS visits
      FROM (
        SELECT width_bucket(visited_at, (SELECT array_agg(to_timestamp(ms / 1000.0) ORDER BY ms) FROM unnest(${starts.map(Number)}::bigint[]) AS ms)) AS bucket,
               country, language, referrer_id, referrer, user_agent_id, user_agent
        FROM visits
        WHERE ${rawVisitsOf(linkId)} AND visited_at >= ${from}::timestamptz AND visited_at < ${end}::timestamptz
          AND date_bin('1 minute', visited_at, 'epoch'::timestamptz) >= ${from}::timestamptz
          AND date_bin('1 minute', visited_at, 'epoch'::timestamptz) < ${end}::timestamptz
          AND ${isCode(sql`country`, filters.country)} AND ${isCode(sql`language`, filters.language)}
      ) AS visit
      GROUP BY GROUPING SETS (
        (bucket, ${described}), (country, ${described}), (language, ${described}), (${referrer}, user_agent_id, user_agent)
      )
      LIMIT ${maxGroups + 1}
    ) AS counted
    LEFT JOIN texts AS referrer ON referrer.id = counted.referrer_id
    LEFT JOIN texts AS user_agent ON user_agent.id = counted.user_agent_id`
}

function isCode(column: RawBuilder<unknown>, code: number | null | undefined): RawBuilder<unknown> {
  if (code === undefined) return sql`true`
  return code === null ? sql`${column} IS NULL` : sql`${column} = ${code}`
}

const notBucket = 4
const notCountry = 2
const notLanguage = 1

async function countGroups(
  pieces: AsyncIterable<Group[]>,
  { starts }: Buckets,
  filters: Filters,
): Promise<FilteredVisits> {
  const texts = await loadTextDescriber()
  const series = starts.map(start => ({ start, visits: 0, humans: 0, bots: 0, previews: 0 }))
  const breakdowns: Breakdowns = new Map()
  const deadline = performance.now() + maxMs
  let groups = 0
  for await (const piece of pieces) {
    groups += piece.length
    if (groups > maxGroups) throw new TooMuchError('groups')
    for (let i = 0, slice = performance.now(); i < piece.length; i++) {
      if (i % 32 === 0 && performance.now() - slice > sliceMs) {
        if (performance.now() > deadline) throw new TooMuchError('time')
        await otherWork()
        slice = performance.now()
      }
      const group = piece[i]
      if (group !== undefined) countGroup(group)
    }
  }
  return { series, breakdowns }

  function countGroup({ mask, bucket, country, language, referrer, userAgent, visits }: Group): void {
    const agent = texts.userAgent(userAgent)
    if (!passes(agent, filters)) return
    const hasReferrer = mask === notBucket + notCountry + notLanguage || filters.referrer !== undefined
    const source = hasReferrer ? texts.referrer(referrer) : ''
    if (filters.referrer !== undefined && source !== filters.referrer) return
    const people = agent.class === 'human' ? visits : 0
    if ((mask & notBucket) === 0) addVisits(series[(bucket ?? 0) - 1], agent.class, visits)
    else if ((mask & notCountry) === 0) addCount(breakdowns, `c${countryOf(country)}`, visits, people)
    else if ((mask & notLanguage) === 0) addCount(breakdowns, `l${lettersOf(language)}`, visits, people)
    else {
      addCount(breakdowns, `r${source}`, visits, people)
      addCount(breakdowns, `b${agent.browser}`, visits, people)
      addCount(breakdowns, `o${agent.os}`, visits, people)
      addCount(breakdowns, `d${agent.device}`, visits, people)
    }
  }
}

function passes(agent: UserAgent, { class: wanted, browser, os, device }: Filters): boolean {
  return (
    (wanted === undefined || agent.class === wanted) &&
    (browser === undefined || agent.browser === browser) &&
    (os === undefined || agent.os === os) &&
    (device === undefined || agent.device === device)
  )
}

function addVisits(to: Counts | undefined, of: VisitorClass, visits: number): void {
  if (to === undefined) return
  to.visits += visits
  to[({ human: 'humans', bot: 'bots', preview: 'previews' } as const)[of]] += visits
}
