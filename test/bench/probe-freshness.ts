import { setTimeout as sleep } from 'node:timers/promises'
import { visit } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'

/** A visit that takes longer than this to be seen is recorded as this delay. */
const giveUpAfterMs = 10_000

/**
 * The delays in milliseconds from a redirect to its visit in the statistics: each slug is requested and then polled until
 * its statistics include the visit, again and again until the time is up.
 */
export async function probeFreshness(options: {
  origin: string
  /** Links that nobody else requests. */
  slugs: string[]
  pollEveryMs: number
  seconds: number
}): Promise<number[]> {
  const { origin, slugs, pollEveryMs, seconds } = options
  const until = performance.now() + seconds * 1_000
  const delaysMs: number[] = []
  await Promise.all(
    slugs.map(async slug => {
      let visits = await waitUntil(() => visitsOf(origin, slug), { what: 'statistics are available' })
      while (performance.now() < until) {
        await visit(origin, slug)
        const answeredAt = performance.now()
        visits++
        while (performance.now() - answeredAt < giveUpAfterMs) {
          const seen = await visitsOf(origin, slug)
          if (seen !== undefined && seen >= visits) break
          await sleep(pollEveryMs)
        }
        delaysMs.push(performance.now() - answeredAt)
      }
    }),
  )
  return delaysMs
}

/** Undefined if the statistics are refused (load shedding): the probe retries, which counts as delay. */
async function visitsOf(origin: string, slug: string): Promise<number | undefined> {
  const response = await fetch(`${origin}/stats/${slug}`)
  const body = (await response.json()) as { visits?: number }
  return response.status === 200 ? body.visits : undefined
}
