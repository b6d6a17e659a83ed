import { setTimeout as sleep } from 'node:timers/promises'
import type { LaggingReplica } from '../../support/lagging-replica.ts'
import { startLaggingReplica } from '../../support/lagging-replica.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { watchFreshness } from '../../support/watch-freshness.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

let replica: LaggingReplica

/** Two API processes with a replica: every response is held to its as-of, by visits of its own (watch-freshness.ts). */
export const replicaLags: Row = {
  number: 36,
  title: 'the replica for statistics lags 20 s: responses say so, and claim no visit that they do not count',
  async options() {
    replica = await startLaggingReplica()
    return {
      databaseUrl: replica.primaryUrl,
      apis: 2,
      apiEnv: { STATS_DATABASE_URL: replica.replicaUrl },
    }
  },
  async round(system, context) {
    const lagMs = context.full ? 20_000 : 4_000
    const origins = () => system.apis.map(api => api.origin)
    const [slug = ''] = await system.prepareLinks(1)
    const watch = watchFreshness({
      visitOrigins: origins,
      statsOrigins: origins,
      slug,
      random: context.random.next,
      visitsBefore: 1,
    })
    const failures: string[] = []
    const lag = () => {
      const { asOf = 0, at = 0, pending = 0 } = watch.claims.at(-1) ?? {}
      return { ms: at - asOf, pending }
    }
    const result = await strikeUnderLoad(system, context, {
      strike: () => replica.setLag(lagMs),
      async lasts() {
        await sleep(lagMs + 2_000)
        const { ms, pending } = lag()
        if (ms < lagMs) failures.push(`the statistics claim to be ${ms} ms old, and are ${lagMs} ms behind`)
        if (pending === 0) failures.push('no visit is pending, although the replica lacks the last seconds')
      },
      heal: () => replica.setLag(0),
      promises: { redirects: 99.9, shorten: '503', stats: '503' },
    })
    await watch.stopVisits()
    const endedAt = Date.now()
    await waitUntil(() => watch.claims.some(({ asOf, pending }) => asOf > endedAt && pending === 0), {
      what: 'the statistics are complete again',
    })
    await watch.stop()
    const kinds = new Set(watch.faults)
    result.failures.push(...failures, ...[...kinds].slice(0, 5))
    return result
  },
}
