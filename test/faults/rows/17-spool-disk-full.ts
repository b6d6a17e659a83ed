import { healProxy, metric } from '../fault-system.ts'
import type { Row } from '../row.ts'
import type { SmallDisk } from '../small-disk.ts'
import { mountSmallDisk } from '../small-disk.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

let disk: SmallDisk | undefined

/**
 * Four kinds of rounds: Redis takes the visits; Redis is down too, and redirects are refused; the same with
 * VISIT_LOSS=allow; Redis takes the visits, but its replies are lost.
 */
export const spoolDiskFull: Row = {
  number: 17,
  title: 'the spool’s disk full: 307 only after Redis has acknowledged; without Redis 503, or a counted loss',
  needs: ['redis', 'mounts'],
  kinds: 4,
  options() {
    disk = mountSmallDisk('2m')
    return { spoolDir: disk.path, proxied: true }
  },
  async round(system, context) {
    const kind = context.round % 4
    const withoutRedis = kind === 1 || kind === 2
    const allowLoss = kind === 2
    const answersLost = kind === 3
    const mustRedirect = kind === 0 || kind === 2
    const { apiRedis } = system.proxies
    const { port, process } = system.api()
    await process.stop()
    await system.startApi({ VISIT_LOSS: allowLoss ? 'allow' : 'refuse' }, port)
    for (const slug of system.slugs) await fetch(`${system.origin()}/${slug}`, { redirect: 'manual' })
    const failures: string[] = []
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        if (withoutRedis) await system.redis.kill9()
        if (answersLost) apiRedis.setMode('drop-replies')
        disk?.fill()
      },
      async lasts(load) {
        await disk?.keepFull(500)
        const answered = load.answered.size
        const refused = load.refused.size
        await disk?.keepFull(answersLost ? 6_000 : 2_000)
        const more = load.answered.size - answered
        if (mustRedirect && more === 0) failures.push('nothing was redirected')
        if (kind === 1 && more > 0)
          failures.push(`${more} redirects went out although nothing could keep their visits`)
        if (kind === 1 && load.refused.size === refused) failures.push('nothing was refused')
      },
      async heal() {
        disk?.makeRoom()
        if (withoutRedis) await system.redis.restart()
        if (answersLost) healProxy(apiRedis)
      },
      ...(allowLoss && {
        saysLost: () => metric(`${system.origin()}/metrics`, 'hopcount_visits_lost_total'),
      }),
      promises: {
        ...(mustRedirect && { redirects: 99 }),
        shorten: 99,
        stats: 99,
        drainedWithinMs: 60_000,
        logLines: 20,
      },
    })
    result.failures.push(...failures)
    return result
  },
}
