import type { Problem } from '../../api/problem.ts'
import { useNavigation } from '../../navigation.tsx'
import { dayMs, dayName } from '../../text/times.ts'
import { todayIn } from '../period/period.ts'
import type { Requested } from '../report-data.ts'

/** Filtered reports need raw visits, which may not reach back far enough, or be too many to count. */
export function FilterProblem({
  problem,
  requested,
  now,
}: {
  problem: Problem
  requested: Requested
  now: number
}) {
  const { go } = useNavigation()
  const { zone } = requested
  const earliest = problem.earliest === undefined ? undefined : Date.parse(problem.earliest)
  return (
    <div class="card too-long" role="alert">
      <p>{problem.detail}</p>
      <div class="actions">
        {earliest !== undefined && earliest < now ? (
          <button
            type="button"
            onClick={() => go({ period: 'custom', from: dayFrom(earliest, zone), to: todayIn(zone, now) })}
          >
            Show from {dayName(earliest, zone)}
          </button>
        ) : (
          requested.range.period !== 'day' && (
            <button type="button" onClick={() => go({ period: 'day' })}>
              Show the last 24 hours
            </button>
          )
        )}
        <button type="button" onClick={() => go({ filters: {} })}>
          Remove filters
        </button>
      </div>
    </div>
  )
}

/** The first whole day with raw visits. */
function dayFrom(earliest: number, zone: string): string {
  return todayIn(zone, earliest + dayMs - 1)
}
