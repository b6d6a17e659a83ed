import { shorten } from '../../support/hopcount.ts'
import type { BenchSettings } from '../bench-part.ts'
import { perSecond } from '../load-table.ts'
import { pacedLoad } from '../paced-load.ts'
import { probeFreshness } from '../probe-freshness.ts'
import { wholeSeconds } from '../redirect-load.ts'
import { summary } from '../rounds.ts'
import { percentileOf } from '../summary.ts'
import type { Hopcount } from './contenders.ts'
import type { BurstSample } from './measure-burst.ts'

/**
 * Few and slow: their requests for statistics take from the same core, 4 to 5 ms each. Four that poll every 50 ms take a
 * third of it.
 */
export const probes = 2
export const pollEveryMs = 100

export interface FreshnessSample {
  /** Redirects a second, apart from those of the probes. */
  perSecond: number
  /** From a redirect to its visit in /stats/:slug. */
  p50Ms: number
  p99Ms: number
  longestMs: number
  seen: number
}

/** Freshness at half the rate of the contender’s bursts, over as many links, drawn by the same law. */
export async function measureFreshness(
  settings: BenchSettings,
  { origin, count }: Hopcount,
  { links, bursts }: { links: number; bursts: BurstSample[] },
): Promise<FreshnessSample[]> {
  const slugs = await Promise.all(Array.from({ length: probes }, () => shorten(origin)))
  const samples: FreshnessSample[] = []
  for (let round = 0; round < settings.rounds; round++) {
    const probing = probeFreshness({ origin, slugs, pollEveryMs, seconds: settings.seconds })
    const load = await pacedLoad(
      {
        origin,
        paths: Array.from({ length: links }, (_, i) => `/s${String(i + 1).padStart(7, '0')}`),
        headers: { 'user-agent': 'bench' },
        perSecond: Math.floor(summary(bursts, perSecond).median / 2),
        seconds: wholeSeconds(settings.seconds) + 1,
        warmUpSeconds: 0,
        connections: 64,
        spin: false,
      },
      settings.cores,
      [],
    )
    const delaysMs = await probing
    samples.push({
      perSecond: load.perSecond,
      p50Ms: percentileOf(delaysMs, 50),
      p99Ms: percentileOf(delaysMs, 99),
      longestMs: Math.max(...delaysMs),
      seen: delaysMs.length,
    })
    await count.settled()
  }
  return samples
}
