import type { Interval } from '../../address.ts'
import type { Bucket, Counts, Metric } from '../../api/stats.ts'
import { number, percent, times, visits } from '../../text/numbers.ts'
import type { BucketNames } from '../../text/times.ts'
import { bucketNames, dayName, timesBetween } from '../../text/times.ts'
import { capitalized } from '../../text/value-names.ts'
import { comparisonName } from '../period/comparison.ts'
import { intervalNames, periodNames } from '../period/period.ts'
import type { Requested } from '../report-data.ts'

/** A series as shown by chart, table and words. */
export interface ShownSeries {
  interval: Interval
  zone: string
  /** Where buckets begin, and where the last one ends. */
  limits: string[]
  values: number[]
  /** What is beside each of the values, in the period compared with; undefined: nothing is, or no period is shown. */
  before: (number | undefined)[] | undefined
  /** “the period before” */
  than: string
  names: BucketNames
  /** Names of the buckets before. */
  beforeNames: string[]
  /** Whether the last bucket is still in progress. */
  isRunning: boolean
  metric: Metric
  /** A summary in words. */
  description: string
}

type Previous = Pick<Counts, Metric> & { to: string; series: Bucket[]; so_far?: Counts }

export function showSeries(
  response: { from: string; to: string; series: Bucket[] },
  previous: Previous | undefined,
  { requested, metric, now }: { requested: Requested; metric: Metric; now: number },
): ShownSeries {
  const { range, zone } = requested
  const starts = response.series.map(bucket => bucket.start)
  const names = bucketNames(starts, range.interval, zone)
  const shown = {
    ...{ interval: range.interval, zone, limits: [...starts, response.to] },
    values: response.series.map(bucket => bucket[metric]),
    // Without a length, there is no such hour or day.
    before: previous?.series.map((bucket, i, all) =>
      bucket.start === (all[i + 1]?.start ?? previous.to) ? undefined : bucket[metric],
    ),
    than: comparisonName(range),
    names,
    beforeNames: bucketNames(previous?.series.map(({ start }) => start) ?? [], range.interval, zone).long,
    isRunning: Date.parse(response.to) > now,
    metric,
  }
  const change = previous === undefined ? '' : comparison(shown, previous)
  return { ...shown, description: describe(shown, spanInWords(response, requested, now), change, requested) }
}

/** “in the last 30 days”, or the dates. */
function spanInWords(
  { from, to }: { from: string; to: string },
  { range, zone }: Requested,
  now: number,
): string {
  if (range.period !== 'custom' && range.interval !== 'week') return periodNames[range.period].within
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

/** From here on a percentage says less than a factor. */
export const leastTimes = 11

function noVisits(metric: Metric): string {
  return metric === 'humans' ? 'No visits by humans' : 'No visits'
}

function comparison({ values, metric, than }: Omit<ShownSeries, 'description'>, previous: Previous): string {
  const total = sum(values)
  if (total + previous[metric] === 0) return ''
  const { so_far: soFar } = previous
  return `, ${changeInWords(total, (soFar ?? previous)[metric], soFar === undefined ? than : `${than} up to the same time`)}`
}

/** “12 % more than in the period before (1,234)” */
export function changeInWords(now: number, before: number, period: string): string {
  const base = `${period} (${number(before)})`
  if (now === before) return `as many as in ${base}`
  if (before === 0) return `none in ${period}`
  if (now / before >= leastTimes) return `${times(now, before)} times as many as in ${base}`
  return `${percent(Math.abs(now - before), before)} ${now > before ? 'more' : 'less'} than in ${base}`
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
