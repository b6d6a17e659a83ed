import { setTimeout as sleep } from 'node:timers/promises'
import { shorten, visit } from '../../support/hopcount.ts'
import type { ReplicatedPostgres } from '../../support/replicated-postgres.ts'
import { startReplicatedPostgres } from '../../support/replicated-postgres.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { watchFreshness } from '../../support/watch-freshness.ts'
import type { FaultSystem } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

let postgres: ReplicatedPostgres | undefined

/**
 * Two kinds of rounds: the processes go on; the API is killed together with the primary, so the next one finds what it
 * has kept. Links are made and followed in the lost seconds, and user agents get numbers there.
 */
export const standbyPromoted: Row = {
  number: 33,
  title:
    'an asynchronous standby without the primary’s last seconds is promoted: confirmed visits are counted again, once',
  kinds: 2,
  async options() {
    postgres = await startReplicatedPostgres()
    return { databaseUrl: postgres.url, links: 20 }
  },
  async round(system, context) {
    if (postgres === undefined) throw new Error('no PostgreSQL was started')
    const server = postgres
    const killsApi = context.round % 2 === 1
    await server.addStandby()
    await waitUntil(() => shorten(system.origin()), { what: 'the API has reconnected', deadlineMs: 30_000 })
    const { port } = system.api()
    const marker = `lost-${context.round}`
    const lostSlugs: string[] = []
    const failures: string[] = []
    const agents = Array.from({ length: 5 }, (_, i) => `${marker}/${i}`)
    const [watched = ''] = await system.prepareLinks(1)
    const origins = () => [system.origin()]
    const watch = watchFreshness({
      visitOrigins: origins,
      statsOrigins: origins,
      slug: watched,
      visitsBefore: 1,
      visitors: 2,
      pollers: 2,
      random: context.random.next,
      mayGoBack: true,
    })

    const result = await strikeUnderLoad(system, context, {
      strike: () => server.cutReplication(),
      async lasts() {
        for (let i = 0; i < 3; i++) lostSlugs.push(await shorten(system.origin()))
        for (const slug of lostSlugs) await visit(system.origin(), slug, { referer: `http://${marker}/` })
        await visitAs(system, agents)
        await sleep(context.random.between(1_500, 4_000))
        const { process } = system.api()
        await server.killPrimary()
        if (killsApi) process.kill('SIGKILL')
        await sleep(context.random.between(0, 1_000))
      },
      async heal() {
        await server.promoteStandby()
        if (killsApi) await system.startApi({}, port)
        await waitUntil(() => shorten(system.origin()), { what: 'links can be made again' })
        // They get the numbers that the others had on the lost primary.
        await visitAs(
          system,
          agents.map(agent => `${agent}/new`),
        )
        await visitAs(system, agents)
      },
      promises: {
        ...(!killsApi && { redirects: 99.9, stats: '503' }),
        drainedWithinMs: 60_000,
        logLines: 40,
      },
    })
    for (const slug of lostSlugs) {
      const response = await fetch(`${system.origin()}/${slug}`, { redirect: 'manual' })
      if (response.status !== 404) failures.push(`a link that was lost answers ${response.status}`)
    }
    let wrong: string[] = []
    await waitUntil(
      async () => {
        wrong = await wrongVisits(system, marker, agents, lostSlugs.length)
        return wrong.length === 0
      },
      { what: 'all visits are counted as what they were', everyMs: 200 },
    ).catch(() => failures.push(...wrong))
    await watch.stopVisits()
    const endedAt = Date.now()
    await waitUntil(() => watch.claims.some(({ asOf }) => asOf > endedAt), {
      what: 'the statistics are complete',
    })
    await watch.stop()
    result.failures.push(...failures, ...watch.faults.slice(0, 5))
    return result
  },
}

/** Each user agent comes several times, so it gets a number. */
async function visitAs({ origin, slugs }: FaultSystem, agents: string[]): Promise<void> {
  for (let time = 0; time < 3; time++) {
    for (const agent of agents)
      await visit(origin(), slugs[0] ?? '', { 'user-agent': agent, referer: `http://as/${agent}` })
    await sleep(200)
  }
}

async function wrongVisits(
  { pool }: FaultSystem,
  marker: string,
  agents: string[],
  followed: number,
): Promise<string[]> {
  const failures: string[] = []
  const wanted = agents.length * 3 * 3
  const { rows } = await pool.query<{ visits: number; wrong: number }>(
    `SELECT count(*)::int AS visits,
            (count(*) FILTER (WHERE coalesce(r.text, referrer) <> 'http://as/' || coalesce(a.text, user_agent)))::int AS wrong
     FROM visits LEFT JOIN texts a ON a.id = user_agent_id LEFT JOIN texts r ON r.id = referrer_id
     WHERE coalesce(r.text, referrer) LIKE 'http://as/' || $1 || '/%'`,
    [marker],
  )
  if (rows[0]?.visits !== wanted)
    failures.push(`${rows[0]?.visits} of ${wanted} visits with agents of their own`)
  if (rows[0]?.wrong !== 0) failures.push(`${rows[0]?.wrong} visits have another visitor’s user agent`)
  const lost = await pool.query<{ visits: number; of_others: number }>(
    `SELECT count(*)::int AS visits, count(links.id)::int AS of_others
     FROM visits LEFT JOIN links ON links.id = link_id LEFT JOIN texts r ON r.id = referrer_id
     WHERE coalesce(r.text, referrer) = 'http://' || $1 || '/'`,
    [marker],
  )
  if (lost.rows[0]?.visits !== followed)
    failures.push(`${lost.rows[0]?.visits} of ${followed} visits to links that were lost`)
  if (lost.rows[0]?.of_others !== 0) failures.push('visits to a link that was lost count for another one')
  return failures
}
