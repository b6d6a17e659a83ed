import type { Period } from '../address.ts'
import type { LinkStats } from '../api/stats.ts'
import { number, visits } from '../text/numbers.ts'
import { bucketNames } from '../text/times.ts'
import { periodNames } from './period.ts'

/** What the chart shows, in words: for those who don't see it, and as its caption. */
export function describeSeries(series: LinkStats['series'], period: Period, zone: string): string {
  const { span, now } = periodNames[period]
  const total = sum(series)
  if (total === 0) return `No visits in the ${span}.`
  const names = bucketNames(
    series.map(bucket => bucket.start),
    period,
    zone,
  ).long
  const highest = series.reduce(
    (best, bucket, i) => (bucket.visits > (series[best]?.visits ?? 0) ? i : best),
    0,
  )
  const running = series.at(-1)?.visits ?? 0
  return `${visits(total)} in the ${span}. Most: ${number(series[highest]?.visits ?? 0)}, ${names[highest]}. So far ${now}: ${number(running)}.`
}

export function sum(series: LinkStats['series']): number {
  return series.reduce((total, bucket) => total + bucket.visits, 0)
}
