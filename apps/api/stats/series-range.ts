import type { Static } from 'typebox'
import { Type } from 'typebox'
import { Problem } from '../errors/problem.ts'
import type { SeriesRange } from './stats-queries.ts'

export const SeriesQuerySchema = Type.Object(
  {
    interval: Type.Union(
      [Type.Literal('hour'), Type.Literal('day'), Type.Literal('week'), Type.Literal('month')],
      {
        default: 'day',
        description: 'weeks begin on Monday (ISO 8601)',
      },
    ),
    from: Type.Optional(
      Type.String({ description: 'RFC 3339 time or date; the interval that holds it is the first' }),
    ),
    to: Type.Optional(Type.String({ description: 'RFC 3339 time or date, exclusive; now when absent' })),
    tz: Type.String({
      default: 'UTC',
      maxLength: 64,
      description: 'IANA time zone whose hours, days, weeks and months are counted',
    }),
  },
  { additionalProperties: false },
)

const maxDays = 366
const dayMs = 24 * 3_600_000
/** What an interval shows when no `from` is given. */
const defaultSpanMs = { hour: 2 * dayMs, day: 30 * dayMs, week: 26 * 7 * dayMs, month: 365 * dayMs }

/** Reads the query of a series; 400 where range or zone is impossible. A date without time begins in the zone asked for. */
export function readSeriesRange(query: Static<typeof SeriesQuerySchema>, now: Date): SeriesRange {
  const timeZone = readTimeZone(query.tz)
  const to = query.to === undefined ? now : readTime('to', query.to, timeZone)
  const from =
    query.from === undefined
      ? new Date(to.getTime() - defaultSpanMs[query.interval])
      : readTime('from', query.from, timeZone)
  if (from >= to) throw queryProblem('from', 'from must lie before to.')
  if (to.getTime() - from.getTime() > maxDays * dayMs)
    throw queryProblem('from', `A range has at most ${maxDays} days.`)
  return { interval: query.interval, from, to, timeZone }
}

/** Names only: an offset such as +02:00 means the opposite to PostgreSQL (POSIX). */
function readTimeZone(name: string): string {
  try {
    if (/^[A-Za-z]/.test(name))
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {}
  throw queryProblem('tz', 'tz must be the name of an IANA time zone, for example Europe/Berlin.')
}

function readTime(field: 'from' | 'to', text: string, timeZone: string): Date {
  try {
    const milliseconds = /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? Temporal.PlainDate.from(text).toZonedDateTime(timeZone).epochMilliseconds
      : Temporal.Instant.from(text).epochMilliseconds
    const year = new Date(milliseconds).getUTCFullYear()
    if (year >= 1970 && year <= 9999) return new Date(milliseconds)
  } catch {}
  throw queryProblem(field, `${field} must be an RFC 3339 time with zone, or a date.`)
}

function queryProblem(parameter: string, detail: string): Problem {
  return new Problem(400, detail, { errors: [{ pointer: `#/${parameter}`, detail }] })
}
