import type { Problem } from '../api/problem.ts'
import { isRefusal } from '../api/problem.ts'
import { visits } from '../text/numbers.ts'

const lagWorthAWordMs = 60_000

/** Whether the numbers are complete, or visits are still being counted. */
export function Freshness({ pending }: { pending: number }) {
  if (pending === 0) return <p class="freshness">up to date</p>
  return <p class="freshness counting">still counting {visits(pending)}</p>
}

export function LagBanner({ lagMs }: { lagMs: number }) {
  return (
    <div role="status">
      {lagMs > lagWorthAWordMs && (
        <p class="banner warning">
          The statistics are {lagInWords(lagMs)} behind. Redirects still work, and no visit is lost: all will
          be counted.
        </p>
      )}
    </div>
  )
}

export function ProblemBanner({ problem }: { problem: Problem | undefined }) {
  return (
    <div role="status">
      {problem !== undefined && (
        <p class="banner danger">
          {problem.detail}
          {!isRefusal(problem) && ' Trying again…'}
        </p>
      )}
    </div>
  )
}

function lagInWords(lagMs: number): string {
  const minutes = Math.floor(lagMs / 60_000)
  if (minutes < 2) return 'more than a minute'
  return minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hours`
}
