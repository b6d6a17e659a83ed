import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { drainedLoad } from '../drained-load.ts'
import { cpuMicros, loadTable, perSecond, throughputBars } from '../load-table.ts'
import { assertAllAnswered } from '../redirect-load.ts'
import { inTurn, ratio } from '../rounds.ts'
import { api, seed, startServices } from '../services.ts'
import { summarize } from '../summary.ts'

const links = 10_000

/** Cache penetration: unknown slugs, each requested once. */
export const unknown: BenchPart = {
  title: 'Redirects of known slugs under an equal load of unknown ones',
  async run(settings) {
    const { cores, rounds } = settings
    const services = await startServices()
    await seed(services, links)
    const running = await api(services)
    pin(
      cores,
      cores.server,
      services.postgres.pid,
      services.redis.pid,
      services.cache.pid,
      running.process.pid,
    )
    await drainedLoad(settings, services, running, { links, unknownShare: 0.5, seconds: 2 })
    const samples = await inTurn(rounds, {
      'known slugs': () => drainedLoad(settings, services, running, { links }),
      'known and unknown, half each': () =>
        drainedLoad(settings, services, running, { links, unknownShare: 0.5 }),
    })
    const known = samples['known slugs']
    const mixed = samples['known and unknown, half each']
    assertAllAnswered(known, 'known slugs')
    const unknownShare = summarize(mixed.map(sample => (100 * sample.refused) / sample.requests))
    return {
      goals: [
        {
          what: 'share of known redirects kept under an equal load of unknown ones',
          measured: ratio(mixed, known, perSecond).median,
          must: 'at least',
          bound: 0.8,
          unit: '×',
        },
        {
          what: 'CPU time per request compared with known slugs alone',
          measured: ratio(mixed, known, cpuMicros).median,
          must: 'at most',
          bound: 1.25,
          unit: '×',
        },
      ],
      tables: [loadTable(`64 connections, ${links} known links in L1`, samples, 'known slugs')],
      plot: { title: 'Known and unknown slugs', unit: 'requests/s', bars: throughputBars(samples) },
      notes: [
        'How to read this: let known slugs alone reach R a second. Offered R/2 known and R/2 unknown ones, known slugs keep (requests/s of the mix) / R of their R/2. A server saturated by R known ones can’t serve R more of anything.',
        `${unknownShare.median.toFixed(1)} % of the mix got a 404. Each unknown slug is requested once, so caching absent slugs does not help. Redis and PostgreSQL share the API’s core.`,
      ],
    }
  },
}
