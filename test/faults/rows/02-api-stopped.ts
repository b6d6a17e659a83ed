import { setTimeout as sleep } from 'node:timers/promises'
import { shorten } from '../../support/hopcount.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In odd rounds Redis is down, which must not delay the exit. */
export const apiStopped: Row = {
  number: 2,
  title: 'SIGTERM to the API: requests in flight get responses; it exits within 10 s, even without Redis',
  system: { proxied: true },
  async round(system, context) {
    const { port, origin } = system.api()
    const slowSlugs = await Promise.all(Array.from({ length: 4 }, () => shorten(origin)))
    const failures: string[] = []
    const withoutRedis = context.round % 2 === 1
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        if (withoutRedis) await system.redis.kill9()
        const { process } = system.api()
        // PostgreSQL responds late, so these are in flight when the signal arrives.
        system.proxies.apiPostgres.setMode({ delayMs: 200 })
        const inFlight = [
          ...slowSlugs.map(slug => statusOf(`${origin}/${slug}`)),
          ...slowSlugs.map(() => statusOf(`${origin}/shorten`, { long_url: 'https://example.com/slow' })),
        ]
        await sleep(100)
        const signalledAt = performance.now()
        process.kill('SIGTERM')
        const { code } = await process.exited
        const tookMs = performance.now() - signalledAt
        const statuses = await Promise.all(inFlight)
        const bad = statuses.filter(status => status !== 307 && status !== 201)
        if (bad.length > 0) failures.push(`requests in flight got ${statuses.join(', ')}`)
        if (tookMs > 10_000) failures.push(`the process took ${Math.round(tookMs)} ms to exit`)
        if (code !== 0) failures.push(`the process exited with ${code}`)
        const open = system.segments().filter(name => name.endsWith('.open'))
        if (open.length > 0) failures.push(`left unsealed: ${open.join(', ')}`)
        system.proxies.apiPostgres.setMode('pass')
      },
      lasts: 100,
      async heal() {
        if (withoutRedis) await system.redis.restart()
        await system.startApi({}, port)
      },
      promises: { drainedWithinMs: 60_000 },
    })
    result.failures.push(...failures)
    return result
  },
}

async function statusOf(url: string, body?: object): Promise<number> {
  const init: RequestInit = { redirect: 'manual', signal: AbortSignal.timeout(20_000) }
  if (body !== undefined) {
    init.method = 'POST'
    init.headers = { 'content-type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  return fetch(url, init).then(
    response => response.status,
    () => 0,
  )
}
