import type { Interval } from '../../address.ts'
import type { Bucket, Counts, Metric } from '../../api/stats.ts'
import { number, percent, visits } from '../../text/numbers.ts'
import type { BucketNames } from '../../text/times.ts'
import { bucketNames, dayName, timesBetween } from '../../text/times.ts'
import { capitalized } from '../../text/value-names.ts'
import { intervalNames, periodNames } from '../period/period.ts'
import type { Requested } from '../report-data.ts'

/** A series as shown by chart, table and words. */
export interface ShownSeries {
  interval: Interval
  zone: string
  /** Where buckets begin, and where the last one ends. */
  limits: string[]
  values: number[]
  /** The preceding period, of the same length; undefined: not shown. */
  before: number[] | undefined
  names: BucketNames
  /** Names of the preceding period's buckets. */
  beforeNames: string[]
  /** Whether the last bucket is still in progress. */
  isRunning: boolean
  metric: Metric
  /** A summary in words. */
  description: string
}

export function showSeries(
  response: { from: string; to: string; series: Bucket[] },
  before: Bucket[] | undefined,
  soFar: Counts | undefined,
  { requested, metric, now }: { requested: Requested; metric: Metric; now: number },
): ShownSeries {
  const { range, zone } = requested
  const starts = response.series.map(bucket => bucket.start)
  const names = bucketNames(starts, range.interval, zone)
  const shown = {
    ...{ interval: range.interval, zone, limits: [...starts, response.to] },
    values: response.series.map(bucket => bucket[metric]),
    before: before?.map(bucket => bucket[metric]),
    names,
    beforeNames:
      before === undefined
        ? []
        : bucketNames(
            before.map(({ start }) => start),
            range.interval,
            zone,
          ).long,
    isRunning: Date.parse(response.to) > now,
    metric,
  }
  const change =
    before === undefined
      ? ''
      : comparison(sum(shown.values), sum(before.map(b => b[metric])), soFar?.[metric])
  return { ...shown, description: describe(shown, spanInWords(response, requested, now), change, requested) }
}

/** “in the last 30 days”, or the dates. */
function spanInWords(
  { from, to }: { from: string; to: string },
  { range, zone }: Requested,
  now: number,
): string {
  if (range.period !== 'custom' && range.interval !== 'week')
    return `in the ${periodNames[range.period].span}`
  const first = dayName(from, zone)
  const last = dayName(Math.min(Date.parse(to) - 1, now), zone)
  const times = range.from.includes('T') ? `, ${timesBetween(from, to, zone)}` : ''
  return `${first === last ? `on ${first}` : `from ${first} to ${last}`}${times}`
}

function describe(
  shown: Omit<ShownSeries, 'description'>,
  span: string,
  change: string,
  { range }: Requested,
): string {
  const { values, names, isRunning, metric } = shown
  const total = sum(values)
  const sentences = [`${total === 0 ? noVisits(metric) : visits(total, metric)} ${span}${change}.`]
  if (total > 0) {
    const highest = values.indexOf(Math.max(...values))
    sentences.push(`Most: ${number(values[highest] ?? 0)}, ${names.long[highest]}.`)
  }
  if (isRunning)
    sentences.push(
      `${capitalized(intervalNames[range.interval].running)} so far: ${number(values.at(-1) ?? 0)}.`,
    )
  return sentences.join(' ')
}

function noVisits(metric: Metric): string {
  return metric === 'humans' ? 'No visits by humans' : 'No visits'
}

function comparison(total: number, before: number, soFar: number | undefined): string {
  if (total + before === 0) return ''
  return `, ${changeInWords(total, soFar ?? before, soFar !== undefined)}`
}

/** “12 % more than in the previous period (1,234)”. A period in progress is compared with the same part of the previous one. */
export function changeInWords(now: number, before: number, isSoFar: boolean): string {
  const period = `the previous period${isSoFar ? ' up to the same time' : ''}`
  const base = `${period} (${number(before)})`
  if (now === before) return `as many as in ${base}`
  if (before === 0) return `none in ${period}`
  return `${percent(Math.abs(now - before), before)} ${now > before ? 'more' : 'less'} than in ${base}`
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
