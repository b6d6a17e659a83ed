/**
 * What the page knows about the freshness of its numbers. Requests and the live stream report here; one status and one
 * banner show it.
 *
 * A response or an event is proof for `proofMs`: the stream sends one every 5 s, and without a stream something is polled
 * at least every 9 s. Without proof the connection is in doubt, until a request has succeeded or failed.
 */
import { useEffect, useState } from 'preact/hooks'
import { listen, tell } from './events.ts'
import type { Problem } from './problem.ts'

/** How complete statistics were at a moment, by the server's clock. */
export interface Fresh {
  asOf: number
  at: number
  pending: number
}

export type Status =
  /** No response yet, or none for too long. */
  | { kind: 'updating' }
  | { kind: 'live' }
  /** Visits have been waiting for longer than usual. */
  | { kind: 'counting'; pending: number; lagMs: number }
  /** Some of what is shown can't be requested. */
  | { kind: 'partial' }
  /** Undefined: there are no numbers. */
  | { kind: 'lost'; asOf: number | undefined }

const proofMs = 12_000
/** Under load some visits are always pending; that is only worth mentioning when it takes longer than usual. */
const usualLagMs = 2_000
/** Where visits aren't known to be pending: `asOf` advances only every few seconds. */
const usualAgeMs = 15_000

interface Failing {
  problem: Problem
  isLead: boolean
}

const failing = new Map<object, Failing>()
let fresh: Fresh | undefined
let provenAt = 0
const changes = new EventTarget()

export function isLateBy({ asOf, at, pending }: Fresh): boolean {
  return pending > 0 && at - asOf > usualLagMs
}

/** @param proof undefined: the response doesn't say how complete its numbers are */
export function prove(proof: Fresh | undefined): void {
  const now = Date.now()
  // Numbers were once incomplete, and the response is about links, not visits.
  if (proof !== undefined || fresh === undefined) fresh = proof ?? { asOf: now, at: now, pending: 0 }
  provenAt = now
  changes.dispatchEvent(new Event('change'))
}

/** @param request identifies what fails, or has stopped failing */
export function setFailing(request: object, failure: Failing | undefined): void {
  if (failure === undefined && !failing.delete(request)) return
  if (failure !== undefined) failing.set(request, failure)
  changes.dispatchEvent(new Event('change'))
}

/** Without waiting for the next poll. */
export function doubt(): void {
  provenAt = 0
  tell('doubted')
}

// What was true before a pause may not be true any more.
listen(window, ['online', 'offline', 'pageshow'], doubt)
listen(document, ['visibilitychange'], () => !document.hidden && doubt())

function readStatus(): Status {
  const failures = [...failing.values()]
  // Also negative, when the clock was set back.
  const ageMs = Date.now() - provenAt
  if (failures.some(({ isLead }) => isLead)) return { kind: 'lost', asOf: fresh?.asOf }
  if (fresh === undefined || !(ageMs >= 0 && ageMs < proofMs)) return { kind: 'updating' }
  if (failures.length > 0) return { kind: 'partial' }
  const lagMs = fresh.at - fresh.asOf + ageMs
  return isLateBy(fresh) || fresh.at - fresh.asOf > usualAgeMs
    ? { kind: 'counting', pending: fresh.pending, lagMs }
    : { kind: 'live' }
}

/** The problem of the most important request that fails. */
function readProblem(): Problem | undefined {
  const failures = [...failing.values()]
  return (failures.find(({ isLead }) => isLead) ?? failures[0])?.problem
}

export interface Connection {
  status: Status
  problem: Problem | undefined
}

export function useConnection(): Connection {
  const [shown, show] = useState<Connection>({ status: { kind: 'updating' }, problem: undefined })
  useEffect(() => {
    let last = ''
    function update(): void {
      const now = { status: readStatus(), problem: readProblem() }
      const { status } = now
      const key = JSON.stringify(
        status.kind === 'counting' ? { ...status, lagMs: Math.round(status.lagMs / 1_000) } : now,
      )
      if (key !== last) show(now)
      last = key
    }
    const stop = listen(changes, ['change'], update)
    const timer = setInterval(update, 1_000)
    update()
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [])
  return shown
}
