import { startPostgres } from '../../support/postgres.ts'
import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { pin, pinThisProcess } from '../cores.ts'
import { throughputBars } from '../load-table.ts'
import type { Contender } from '../one-core/contenders.ts'
import { startBare, startBareNginx, startCounting, startHopcount } from '../one-core/contenders.ts'
import type { BurstSample } from '../one-core/measure-burst.ts'
import { measureBurst } from '../one-core/measure-burst.ts'
import { measureFreshness, pollEveryMs, probes } from '../one-core/measure-freshness.ts'
import { burstGoals, burstTable, freshnessGoal, freshnessTable, names } from '../one-core/report.ts'
import type { RedirectLoad } from '../redirect-load.ts'
import { wholeSeconds } from '../redirect-load.ts'
import { inTurn } from '../rounds.ts'

const links = 2_000

/** All parts of a product share a core, as on the smallest server; the generator has another. */
export const oneCore: BenchPart = {
  title: 'A burst of redirects with all parts of the product on one core, and counting it',
  async run(settings) {
    const { cores } = settings
    const [redis, plain] = [
      await startHopcount({ redis: true, links }),
      await startHopcount({ redis: false, links }),
    ]
    const bare = await startBareServers()
    const counting = await startCountingServers()
    const everything: Record<string, Contender> = {
      ...bare,
      ...counting,
      [names.redis]: redis,
      [names.plain]: plain,
    }
    const pids = Object.values(everything).flatMap(({ parts }) => Object.values(parts).flat())
    pin(cores, cores.server, ...pids)
    pinThisProcess(cores, cores.generator)
    try {
      const oneLink = await measureMix(settings, everything, { links: 1 })
      const manyLinks = await measureMix(
        settings,
        {
          [names.fastify]: bare[names.fastify],
          [names.inMemory]: counting[names.inMemory],
          [names.redis]: redis,
          [names.plain]: plain,
        },
        { links, visitors: 'mix' },
      )
      const freshness = {
        [names.redis]: await measureFreshness(settings, redis, { links, bursts: manyLinks[names.redis] }),
        [names.plain]: await measureFreshness(settings, plain, { links, bursts: manyLinks[names.plain] }),
      }
      for (const hopcount of [redis, plain]) {
        const differences = await hopcount.differences()
        if (differences > 0) throw new Error(`${differences} differences between raw visits and aggregates`)
      }
      return {
        goals: [
          ...burstGoals('one link', oneLink),
          ...burstGoals(`${links} links`, manyLinks),
          ...Object.entries(freshness).map(([what, samples]) => freshnessGoal(what, samples)),
        ],
        tables: [
          burstTable('One link, without user agent and referrer, 64 connections', oneLink),
          burstTable(
            `${links} links drawn by Zipf’s law, mixed user agents and referrers, 64 connections`,
            manyLinks,
          ),
          freshnessTable(freshness),
        ],
        plot: {
          title: 'All parts on one core, one link',
          unit: 'redirects/s',
          bars: throughputBars(oneLink),
        },
        notes: [
          `Each contender’s parts share core ${cores.server}: API, worker, PostgreSQL and, with “${names.redis}”, two Redis instances. Both installations are started by the code of \`npm start\`; they differ in \`REDIS_URL\` and \`CACHE_REDIS_URL\` only. The generator and this benchmark have core ${cores.generator}. Contenders that aren’t being measured are idle, but running: an installation of Hopcount takes some 3 % of the core then, from the others too.`,
          'Every redirect was counted: after each burst, the number of visits in the ledger equals the number of responses, apart from the up to 64 that wrk leaves unread when it ends; at the end, raw visits, aggregates and ledger agree. Otherwise there would be no figures.',
          'Counted after: from the end of the burst until all of its visits are in the ledger, in the same transaction as statistics. µs: CPU time per redirect, including what is recorded after the burst.',
          `${names.inMemory}: node:http with links and counters in memory, which PostgreSQL gets once a second; a kill loses up to a second. ${names.insert}: node:http that awaits an INSERT for each visit before the 307, without any statistics. Both are in yardsticks/.`,
          `Freshness: ${probes} probes, each with its own link: request it, then poll its statistics every ${pollEveryMs} ms until they include the visit, while a paced generator requests ${links} links at half the rate of that contender’s burst.`,
        ],
      }
    } finally {
      pinThisProcess(cores, cores.all)
    }
  },
}

async function startBareServers() {
  const nginx = await startBareNginx()
  return {
    [names.fastify]: await startBare('bare-fastify'),
    [names.node]: await startBare('bare-node-http'),
    ...(nginx && { 'nginx return 307': nginx }),
  }
}

async function startCountingServers() {
  const postgres = await startPostgres({ migrated: false })
  return {
    [names.inMemory]: await startCounting('count-in-memory', {
      postgres,
      links,
      countVisits: 'SELECT coalesce(sum(visits), 0) AS visits FROM counted_in_memory',
      lagMs: 1_200,
    }),
    [names.insert]: await startCounting('insert-per-visit', {
      postgres,
      links,
      countVisits: 'SELECT count(*) AS visits FROM inserted_visits',
      lagMs: 200,
    }),
  }
}

async function measureMix<Name extends string>(
  settings: BenchSettings,
  contenders: Record<Name, Contender>,
  load: RedirectLoad,
): Promise<Record<Name, BurstSample[]>> {
  const names = Object.keys(contenders) as Name[]
  const measure = (name: Name, seconds: number) => () =>
    measureBurst(settings, contenders[name], { ...load, seconds: wholeSeconds(seconds) })
  // Compiles the hot paths of every process.
  for (const name of names) await measure(name, Math.min(2, settings.seconds))()
  const runs = names.map(name => [name, measure(name, settings.seconds)] as const)
  return inTurn(settings.rounds, Object.fromEntries(runs) as Record<Name, () => Promise<BurstSample>>)
}
