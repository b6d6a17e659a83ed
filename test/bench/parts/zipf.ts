import { Redis } from 'ioredis'
import type { CacheName } from '../../../apps/api/links/change-links.ts'
import { createLink } from '../../../apps/api/links/link.ts'
import { openLinkCache } from '../../../apps/api/redirect/lookup/link-cache.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { drainedLoad } from '../drained-load.ts'
import { cpuMicros, loadTable, perSecond, throughputBars } from '../load-table.ts'
import { assertAllAnswered, loadRedirects } from '../redirect-load.ts'
import { inTurn, ratio } from '../rounds.ts'
import type { Services } from '../services.ts'
import { api, seed, startServices } from '../services.ts'
import { startYardstick } from '../yardsticks/start-yardstick.ts'

const l1Links = 100_000

/** More links than a process caches: some redirects need Redis. */
export const zipf: BenchPart = {
  title: 'Redirects over many links drawn by Zipf’s law, L1 of 100,000 links, L2 in Redis',
  async run(settings) {
    const { links, rounds, cores } = settings
    const services = await startServices()
    settings.say(`creating ${links} links`)
    await seed(services, links)
    settings.say('filling L2')
    await fillCache(services)
    const running = await api(services, { CACHE_MAX_LINKS: String(l1Links) })
    const fastify = await startYardstick('bare-fastify')
    const bare = { origin: fastify.origin, pids: [fastify.process.pid] }
    pin(cores, cores.server, services.postgres.pid, services.redis.pid, services.cache.pid)
    pin(cores, cores.server, running.process.pid, ...bare.pids)

    settings.say('filling L1')
    await drainedLoad(settings, services, running, { links, seconds: settings.seconds * 2 })
    await loadRedirects(settings, bare, { links, seconds: 1 })
    await forgetCacheLookups(services)
    const samples = await inTurn(rounds, {
      'bare Fastify': () => loadRedirects(settings, bare, { links }),
      Hopcount: () => drainedLoad(settings, services, running, { links }),
    })
    assertAllAnswered(samples.Hopcount, 'Hopcount')
    const { hits, misses } = await cacheLookups(services)
    if ((hits === 0 && links > l1Links) || misses > hits / 20)
      throw new Error(`L2 had ${hits} of the wanted links and lacked ${misses}: it isn’t what was measured`)
    const redirects = samples.Hopcount.reduce((sum, sample) => sum + sample.requests, 0)
    return {
      goals: [
        {
          what: 'redirects/s over many links compared with bare Fastify',
          measured: ratio(samples.Hopcount, samples['bare Fastify'], perSecond).median,
          must: 'at least',
          bound: 0.6,
          unit: '×',
        },
        {
          what: 'CPU time per redirect over many links compared with bare Fastify',
          measured: ratio(samples.Hopcount, samples['bare Fastify'], cpuMicros).median,
          must: 'at most',
          bound: 1 / 0.6,
          unit: '×',
        },
      ],
      tables: [
        loadTable(
          `${links} links, exponent 1, 64 connections, the same requests for both`,
          samples,
          'bare Fastify',
        ),
      ],
      plot: { title: 'Redirects over many links', unit: 'requests/s', bars: throughputBars(samples) },
      notes: [
        `All links are in L2 before the start; L1 is filled by a load of twice the length of a round. ${((100 * hits) / redirects).toFixed(1)} % of the measured redirects needed L2.`,
        'The API shares its core with PostgreSQL and both Redis instances; no worker runs during measurements.',
      ],
    }
  },
}

/** Writes all links to L2 as an API process does. */
async function fillCache({ pool, cache }: Services): Promise<void> {
  const linkCache = openLinkCache(cache.url, openLog({ name: 'bench', level: 'silent' }))
  const { rows: names } = await pool.query<CacheName>(
    'SELECT epoch::text, generation FROM database_epoch, link_cache',
  )
  for (const name of names) linkCache.enter(name)
  const { rows } = await pool.query<{ id: string; slug: string; long_url: string }>(
    'SELECT id::text, slug, long_url FROM links ORDER BY id',
  )
  for (let from = 0; from < rows.length; from += 1_000) {
    const chunk = rows.slice(from, from + 1_000)
    const last = chunk.at(-1)
    if (last === undefined) break
    // A lookup after the writes waits for them; links missing because Redis was not ready or too slow are written again.
    await waitUntil(
      async () => {
        for (const row of chunk) {
          linkCache.set(row.slug, createLink(Number(row.id), row.long_url, undefined))
        }
        return (await linkCache.get(last.slug)) !== undefined
      },
      { what: 'Redis takes links', everyMs: 5 },
    )
  }
  linkCache.close()
}

async function forgetCacheLookups({ cache }: Services): Promise<void> {
  const redis = new Redis(cache.url)
  await redis.config('RESETSTAT')
  await redis.quit()
}

async function cacheLookups({ cache }: Services): Promise<{ hits: number; misses: number }> {
  const redis = new Redis(cache.url)
  const stats = await redis.info('stats')
  await redis.quit()
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(stats)?.[1])
  return { hits: read('keyspace_hits'), misses: read('keyspace_misses') }
}
