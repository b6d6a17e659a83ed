import { healProxy } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In odd rounds the cache does not respond at all. There are more links than a process caches, so Redis is needed. */
export const cacheSlow: Row = {
  number: 12,
  title:
    'cache Redis 200 ms late or silent: reads give up after 50 ms, a breaker opens, R p99 stays below 100 ms',
  system: { cacheRedis: true, apiEnv: { CACHE_MAX_LINKS: '100' }, links: 300, apis: 2 },
  round: (system, context) =>
    strikeUnderLoad(system, context, {
      load: { connections: 4, pauseMs: 20 },
      edits: {
        editor: () => system.apis[0]?.origin ?? '',
        origins: () => system.apis.map(api => api.origin),
      },
      strike: () => system.cacheProxy.setMode(context.round % 2 === 0 ? { delayMs: 200 } : 'black-hole'),
      lasts: context.full ? 10_000 : 4_000,
      heal: () => healProxy(system.cacheProxy),
      promises: {
        redirects: 99.9,
        shorten: 99,
        stats: 99,
        redirectP99Ms: 100,
        drainedWithinMs: 60_000,
        logLines: 20,
      },
    }),
}
