import { useEffect, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Status as ConnectionStatus } from '../api/connection.ts'
import { useConnection } from '../api/connection.ts'
import type { Problem } from '../api/problem.ts'
import { isRefusal } from '../api/problem.ts'
import { visits } from '../text/numbers.ts'
import { clockTime, duration } from '../text/times.ts'
import '../style/status.css'

/** Whether the numbers are those of this moment. Announced only when it stays different for a while. */
export function Status({ zone = browserZone() }: { zone?: string }) {
  const { status } = useConnection()
  return (
    <>
      <p class="status" data-kind={status.kind}>
        {inWords(status, zone)}
      </p>
      <Announced text={announcements[status.kind]} />
    </>
  )
}

function inWords(status: ConnectionStatus, zone: string): string {
  if (status.kind === 'live') return 'live'
  if (status.kind === 'updating') return 'updating…'
  if (status.kind === 'partial') return 'partly out of date'
  if (status.kind === 'counting')
    return status.pending > 0
      ? `${visits(status.pending)} being counted, the oldest ${duration(status.lagMs)} old`
      : `numbers of ${clockTime(Date.now() - status.lagMs, zone)}`
  return `not connected${status.asOf === undefined ? '' : `, numbers of ${clockTime(status.asOf, zone)}`}`
}

/** Without numbers that change: each change is spoken. */
const announcements: Partial<Record<ConnectionStatus['kind'], string>> = {
  live: 'The numbers are live.',
  partial: 'Some numbers are out of date.',
  counting: 'Some visits are still being counted.',
  lost: 'Not connected: the numbers are out of date.',
}
const steadyMs = 3_000

/** A text for screen readers that has been the same for a while. The first one is nothing new. */
function Announced({ text }: { text: string | undefined }) {
  const [known, setKnown] = useState(announcements.live)
  const [spoken, speak] = useState('')
  useEffect(() => {
    if (text === undefined || text === known) return
    const timer = setTimeout(() => {
      setKnown(text)
      speak(text)
    }, steadyMs)
    return () => clearTimeout(timer)
  }, [text, known])
  return (
    <span class="visually-hidden" role="status">
      {spoken}
    </span>
  )
}

/** Why this can't be shown. What may succeed later is in the page's own banner. */
export function RefusalBanner({ problem }: { problem: Problem | undefined }) {
  return <ProblemBanner problem={problem && isRefusal(problem) ? problem : undefined} />
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
