import type { Address, Interval } from '../../address.ts'
import { browserZone } from '../../address.ts'
import { rangeOf, todayIn } from '../period/period.ts'
import type { ShownSeries } from './shown-series.ts'

/** Those from the first to the last, of which `index` is the one under the pointer. */
export interface Buckets {
  index: number
  first: number
  last: number
}

export type Zoom = Partial<Address> & { interval: Interval }

const finer: Partial<Record<Interval, Interval>> = { hour: 'minute', day: 'hour', week: 'day', month: 'day' }

/** The address of a report on some buckets: on one or two by a finer interval. Undefined if there is none that the API has. */
export function zoomTo(
  address: Address,
  { interval, limits, zone }: ShownSeries,
  { first, last }: Buckets,
  now: number,
): Zoom | undefined {
  const [start, end] = [limits[first], limits[last + 1]]
  const wanted = last - first < 2 ? finer[interval] : interval
  if (start === undefined || end === undefined || wanted === undefined) return undefined
  const isOfHours = interval === 'hour' || interval === 'minute'
  const change: Zoom = {
    period: 'custom',
    interval: wanted,
    before: undefined,
    from: isOfHours ? toMinute(start) : todayIn(zone, Date.parse(start)),
    to: isOfHours ? toMinute(end) : todayIn(zone, Date.parse(end) - 1),
    // Of whole UTC days, if only these can be counted.
    ...(zone !== (address.zone ?? browserZone()) && { zone }),
  }
  return rangeOf({ ...address, ...change }, zone, now).interval === wanted ? change : undefined
}

function toMinute(moment: string): string {
  return `${moment.slice(0, 16)}Z`
}
