import { useConnection } from '../api/connection.ts'
import { usePolled } from '../api/poll.ts'
import type { Problem } from '../api/problem.ts'
import { ProblemBanner } from './freshness.tsx'

interface Readiness {
  warnings: string[]
}

const everyMs = 60_000
const readiness = { url: '/readyz', about: undefined }
const lagWorthAWordMs = 60_000

/**
 * What is wrong, each cause once: requests that fail, and what makes the numbers of this installation wrong or incomplete
 * until an operator acts.
 *
 * @param problem of the session
 */
export function Warnings({ problem }: { problem: Problem | undefined }) {
  const { status, problem: failing } = useConnection()
  const { response } = usePolled<Readiness>(readiness, { everyMs })
  const warnings = response?.data.warnings ?? []
  const shown = problem ?? failing
  // Visits that an operator has to care for are among those that are late.
  const isExplained = shown !== undefined || warnings.some(warning => warning.includes('not counted'))
  const lagMs = status.kind === 'counting' && !isExplained ? status.lagMs : 0
  return (
    <>
      <ProblemBanner problem={shown} />
      <div role="status">
        {warnings.map(warning => (
          <p key={warning} class="banner warning">
            {warning}
          </p>
        ))}
        {lagMs > lagWorthAWordMs && (
          <p class="banner warning">
            The statistics are {lagInWords(lagMs)} behind. Redirects still work, and no visit is lost: all
            will be counted.
          </p>
        )}
      </div>
    </>
  )
}

function lagInWords(lagMs: number): string {
  const minutes = Math.floor(lagMs / 60_000)
  if (minutes < 2) return 'more than a minute'
  return minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hours`
}
