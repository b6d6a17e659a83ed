import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In even rounds between worker and Redis, in odd rounds between API and Redis. Nothing tells either end. */
export const redisSilent: Row = {
  number: 26,
  title:
    'all bytes to and from Redis vanish for 10 s, and the connections of before stay dead: counting goes on within 20 s',
  kinds: 2,
  system: { proxied: true },
  round(system, context) {
    const { workerRedis, apiRedis } = system.proxies
    const proxy = context.round % 2 === 0 ? workerRedis : apiRedis
    return strikeUnderLoad(system, context, {
      strike: () => proxy.setMode('black-hole'),
      lasts: 10_000,
      heal() {
        proxy.abandonConnections()
        proxy.setMode('pass')
      },
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 20_000, logLines: 20 },
    })
  },
}
