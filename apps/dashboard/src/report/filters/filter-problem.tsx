import type { Problem } from '../../api/problem.ts'
import { useNavigation } from '../../navigation.tsx'
import { dateAndTime, dayMs, dayName } from '../../text/times.ts'
import { todayIn } from '../period/period.ts'
import type { Requested } from '../report-data.ts'

/** Filtered reports need raw visits, which may not reach back far enough, or be too many to count. */
export function FilterProblem(props: { problem: Problem; requested: Requested; now: number }) {
  const { problem, requested, now } = props
  const { go } = useNavigation()
  const { zone } = requested
  const shorter = shorterRange(problem, zone, now)
  return (
    <div class="card too-long" role="alert">
      <p>{problem.detail} Below is the report without filters.</p>
      <div class="actions">
        {shorter !== undefined && (
          <button
            type="button"
            onClick={() => go({ period: 'custom', interval: undefined, from: shorter.from, to: shorter.to })}
          >
            Show from{' '}
            {shorter.from.includes('T') ? dateAndTime(shorter.from, zone) : dayName(shorter.from, 'UTC')}
          </button>
        )}
        <button type="button" onClick={() => go({ filters: {} })}>
          Remove filters
        </button>
      </div>
    </div>
  )
}

/** In days, if it begins with one, else in times. */
function shorterRange({ longest, earliest }: Problem, zone: string, now: number) {
  const from = Date.parse(longest?.from ?? earliest ?? '')
  if (!(from < now)) return undefined
  const isDay = longest === undefined || todayIn(zone, from - 1) < todayIn(zone, from)
  const until = longest === undefined ? now : Math.min(now, Date.parse(longest.to) - 1)
  return isDay ? { from: todayIn(zone, from + dayMs - 1), to: todayIn(zone, until) } : longest
}
