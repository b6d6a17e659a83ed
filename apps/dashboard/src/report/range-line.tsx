import type { LinkStats, OverallStats } from '../api/stats.ts'
import { daysBetween, rangeInWords } from '../text/times.ts'
import type { Requested } from './report-data.ts'

/** “1–14 Nov 2026 compared with 18–31 Oct 2026”: what the numbers below are of. */
export function RangeLine(props: {
  stats: { data: LinkStats | OverallStats; about: Requested } | undefined
  /** Whether there is something to compare with: single visits of that time may no longer be kept. */
  isCompared: boolean
  now: number
}) {
  if (props.stats === undefined) return null
  const { data, about } = props.stats
  const { range, previous, first_visit: firstVisit } = data
  return (
    <p class="range-line">
      {about.range.period === 'all' && firstVisit !== null
        ? // Its first week or month began before it.
          daysBetween(firstVisit, new Date(props.now).toISOString(), about.zone)
        : rangeInWords(range.from, range.to, about.zone, props.now)}
      {props.isCompared && previous !== undefined && (
        <>
          {' '}
          <span class="muted">compared with</span>{' '}
          {rangeInWords(previous.from, previous.so_far?.to ?? previous.to, about.zone)}
        </>
      )}
    </p>
  )
}
