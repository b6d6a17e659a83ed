import { Redis } from 'ioredis'
import { compareCounts } from '../../../apps/worker/verify/compare-counts.ts'
import { startRedis } from '../../support/redis.ts'
import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { pin } from '../cores.ts'
import { cpuMicros, loadTable, perSecond, throughputBars } from '../load-table.ts'
import type { PacedSample } from '../paced-load.ts'
import { pacedLoad } from '../paced-load.ts'
import type { Contender } from '../redirect-load.ts'
import { assertAllAnswered, loadRedirects, warmUp, wholeSeconds } from '../redirect-load.ts'
import { inTurn, ratio, summary } from '../rounds.ts'
import { api, countedVisits, drain, seed, startServices, worker } from '../services.ts'
import type { LoadSample } from '../wrk.ts'
import { nginxVersion, startNginx } from '../yardsticks/nginx.ts'
import { startYardstick } from '../yardsticks/start-yardstick.ts'

/** A cached link, counted durably, compared with minimal servers that return a 307 and with the naive design. */
export const redirect: BenchPart = {
  title: 'Redirects of a cached link, each counted durably',
  async run(settings) {
    const services = await startServices()
    await seed(services, 1)
    const running = await api(services)
    const hopcount: Contender = { origin: running.origin, pids: [running.process.pid] }
    const fastify = await yardstick('bare-fastify')
    const node = await yardstick('bare-node-http')
    const naive = await naiveApi()
    const nginx = nginxVersion() === undefined ? undefined : await startNginx()
    const { server, generator } = settings.cores
    pin(settings.cores, server, services.postgres.pid, services.redis.pid, services.cache.pid)
    pin(
      settings.cores,
      server,
      ...hopcount.pids,
      ...fastify.pids,
      ...node.pids,
      ...naive.pids,
      naive.redisPid,
    )
    if (nginx !== undefined) pin(settings.cores, server, nginx.pid)
    let answered = 0

    const measure = (contender: Contender, seconds: number) => () =>
      loadRedirects(settings, contender, { links: 1, seconds })
    async function measureHopcount(): Promise<LoadSample> {
      const sample = await measure(hopcount, settings.seconds)()
      answered += sample.requests
      await drain(services, running)
      return sample
    }
    /** As with `npm start`: worker and PostgreSQL record at the same time, on the generator's core. */
    async function measureWithWorker(): Promise<LoadSample> {
      const recording = await worker(services)
      pin(settings.cores, generator, recording.pid, services.postgres.pid)
      const sample = await measure(hopcount, shorter)()
      answered += sample.requests
      await recording.stop()
      await drain(services, running)
      pin(settings.cores, server, services.postgres.pid)
      return sample
    }

    const shorter = settings.seconds / 2
    for (const contender of [hopcount, fastify, node, naive])
      answered +=
        (await warmUp(settings, contender, { links: 1 })).requests * (contender === hopcount ? 1 : 0)
    await drain(services, running)
    const contenders: Record<string, () => Promise<LoadSample>> = {
      'bare Fastify': measure(fastify, settings.seconds),
      Hopcount: measureHopcount,
      'Hopcount, worker on the generator’s core': measureWithWorker,
      'bare node:http': measure(node, settings.seconds),
      ...(nginx && {
        'nginx return 307': measure({ origin: nginx.origin, pids: [nginx.pid] }, shorter),
      }),
      'naive (queue.add per visit)': measure(naive, shorter),
    }
    const samples = await inTurn(settings.rounds, contenders)
    for (const [name, own] of Object.entries(samples)) assertAllAnswered(own, name)
    const ours = samples.Hopcount ?? []
    const bare = samples['bare Fastify'] ?? []
    const bareNode = samples['bare node:http'] ?? []

    const half = Math.floor(Math.min(summary(ours, perSecond).median, summary(bare, perSecond).median) / 2)
    const paced = await inTurn(settings.rounds, {
      'bare Fastify': () => pace(settings, fastify, half),
      async Hopcount() {
        const sample = await pace(settings, hopcount, half)
        answered += sample.answered
        await drain(services, running)
        return sample
      },
    })
    const counted = await countedVisits(services.pool)
    if (counted < answered) throw new Error(`${answered} redirects were answered, and ${counted} counted`)
    const differences = await compareCounts(services.pool)
    if (differences.length > 0)
      throw new Error(`${differences.length} differences between raw visits and aggregates`)
    const p99 = (sample: PacedSample) => sample.p99Ms

    return {
      goals: [
        {
          what: 'redirects/s compared with bare Fastify',
          measured: ratio(ours, bare, perSecond).median,
          must: 'at least',
          bound: 1.2,
          unit: '×',
        },
        {
          what: 'CPU time per redirect compared with bare node:http',
          measured: ratio(ours, bareNode, cpuMicros).median,
          must: 'at most',
          bound: 1.15,
          unit: '×',
        },
        {
          what: 'p99 at half the maximum rate compared with bare Fastify',
          measured: ratio(paced.Hopcount, paced['bare Fastify'], p99).median,
          must: 'at most',
          bound: 1.5,
          unit: '×',
        },
      ],
      tables: [
        loadTable('64 connections, closed loop', samples, 'bare Fastify'),
        {
          title: `${half} requests a second, open loop`,
          columns: ['responses/s', 'p50 ms', 'p99 ms', 'longest ms', 'sent late by ms'],
          rows: Object.entries(paced).map(([what, own]) => ({
            what,
            cells: [
              summary(own, sample => sample.perSecond),
              summary(own, sample => sample.p50Ms),
              summary(own, p99),
              summary(own, sample => sample.maxMs),
              summary(own, sample => sample.generatorLateMs),
            ],
          })),
        },
      ],
      plot: { title: 'Redirects of a cached link', unit: 'requests/s', bars: throughputBars(samples) },
      notes: [
        'The API shares its core with PostgreSQL and both Redis instances. No worker runs during measurements; the visits are counted afterwards. In “worker on the generator’s core”, worker and PostgreSQL record at the same time and take CPU time from the generator. CPU time is that of the API process.',
        `Counts: the clients read ${answered} responses; ${counted} visits were counted (a generator that ends leaves up to 64 responses per run unread). Raw visits, aggregates and ledger agree.`,
        'Open loop: a Node generator (paced-generator.ts) on its own core, because wrk can’t pace; latency is measured from the time a request was due, after a second of warming the generator up. Both servers get the same rate: half of the lower maximum.',
        `nginx, the naive design and “worker on the generator’s core” run for ${wholeSeconds(shorter)} s a round. The naive design runs without its worker, so its jobs accumulate, in a Redis of its own.`,
      ],
    }
  },
}

async function yardstick(name: 'bare-fastify' | 'bare-node-http'): Promise<Contender> {
  const started = await startYardstick(name)
  return { origin: started.origin, pids: [started.process.pid] }
}

/** With a Redis of its own: its jobs accumulate, and the append-only file that holds them is rewritten at any moment. */
async function naiveApi(): Promise<Contender & { redisPid: number }> {
  const server = await startRedis({ appendonly: true })
  const redis = new Redis(server.url)
  await redis.set('naive:s0000001', 'https://www.example.com/articles/1/how-it-began')
  await redis.quit()
  const started = await startYardstick('naive-api', { REDIS_URL: server.url })
  return { origin: started.origin, pids: [started.process.pid], redisPid: server.pid }
}

function pace(settings: BenchSettings, contender: Contender, perSecond: number) {
  return pacedLoad(
    {
      origin: contender.origin,
      paths: ['/s0000001'],
      headers: {},
      perSecond,
      seconds: wholeSeconds(settings.seconds / 2) + 1,
      warmUpSeconds: 1,
      connections: 64,
      spin: settings.cores.generator !== settings.cores.server,
    },
    settings.cores,
    contender.pids,
  )
}
