/**
 * Holds `X-Stats-As-Of` to its word. Clients follow one link and remember when each redirect was answered; others poll
 * the statistics of all processes. Every response must count all visits that were answered before its as-of, and no
 * response may claim less than one that was complete before its request was sent.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { visit } from './hopcount.ts'

export interface FreshnessWatch {
  /** What was wrong, one line each. */
  faults: string[]
  /** The as-of of every response, in the order of their arrival. */
  claims: { asOf: number; at: number; pending: number }[]
  answered(): number
  /** Ends the visits; polling goes on. */
  stopVisits(): Promise<void>
  stop(): Promise<void>
}

export function watchFreshness(options: {
  /** Where visits go, and where statistics are polled; both may change. */
  visitOrigins: () => string[]
  statsOrigins: () => string[]
  slug: string
  /** How many visits the link had before. */
  visitsBefore?: number
  /** The database may lose commits: as-of goes back with them then. */
  mayGoBack?: boolean
  visitors?: number
  pollers?: number
  random?: () => number
}): FreshnessWatch {
  const { visitOrigins, statsOrigins, slug, visitsBefore = 0, mayGoBack = false } = options
  const { visitors = 4, pollers = 3, random = Math.random } = options
  const answeredAt: number[] = []
  const faults: string[] = []
  const claims: FreshnessWatch['claims'] = []
  let visiting = true
  let polling = true
  /** The latest as-of of all responses that are complete. */
  let claimed = 0

  const pick = (origins: string[]): string => origins[Math.floor(random() * origins.length)] ?? ''

  async function keepVisiting(): Promise<void> {
    while (visiting) {
      const redirected = await visit(pick(visitOrigins()), slug).then(
        () => true,
        () => false,
      )
      if (redirected) answeredAt.push(Date.now())
      // Bursts and pauses: an as-of is wrong most easily about the first visit after a silence.
      await sleep(random() < 0.05 ? 300 * random() : 30 * random())
    }
  }

  async function keepPolling(): Promise<void> {
    while (polling) {
      const claimedBefore = claimed
      const answered = await readStats(`${pick(statsOrigins())}/stats/${slug}`).catch(() => undefined)
      if (answered !== undefined) check(answered, claimedBefore)
      await sleep(50 * random())
    }
  }

  function check(
    { asOf, pending, visits }: { asOf: number; pending: number; visits: number },
    claimedBefore: number,
  ): void {
    claims.push({ asOf, pending, at: Date.now() })
    claimed = Math.max(claimed, asOf)
    if (asOf < claimedBefore && !mayGoBack) faults.push(`as-of went back by ${claimedBefore - asOf} ms`)
    const due = answeredAt.filter(at => at < asOf).length
    if (due > 0 && visits < due + visitsBefore)
      faults.push(`${visits} visits as of ${new Date(asOf).toISOString()}, when ${due} were answered`)
  }

  const visitorsDone = Promise.all(Array.from({ length: visitors }, keepVisiting))
  const pollersDone = Promise.all(Array.from({ length: pollers }, keepPolling))

  async function stopVisits(): Promise<void> {
    visiting = false
    await visitorsDone
  }

  return {
    faults,
    claims,
    answered: () => answeredAt.length,
    stopVisits,
    async stop() {
      await stopVisits()
      polling = false
      await pollersDone
    },
  }
}

async function readStats(url: string): Promise<{ asOf: number; pending: number; visits: number }> {
  const response = await fetch(url)
  const { visits } = (await response.json()) as { visits: number }
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
  return {
    asOf: Date.parse(response.headers.get('x-stats-as-of') ?? ''),
    pending: Number(response.headers.get('x-stats-pending')),
    visits,
  }
}
