import { waitUntil } from '../../support/wait-until.ts'
import { unknownSlug } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

const knowsWithinMs = 20_000

/** Two API processes: the one under load loses its connections without a sign, the other creates a link meanwhile. */
export const changesUnheard: Row = {
  number: 27,
  title:
    'all bytes between API and PostgreSQL vanish for 10 s, and the connections of before stay dead: link changes are heard again within 20 s',
  system: { proxied: true, partsLater: true },
  async round(system, context) {
    if (system.apis.length === 0) {
      await system.startApi({ DATABASE_URL: system.databaseUrl })
      await system.startApi()
      await system.startWorker()
      system.slugs.push(...(await system.prepareLinks(5)))
    }
    const [other, api] = system.apis
    if (other === undefined || api === undefined) throw new Error('two API processes are needed')
    const { apiPostgres } = system.proxies
    const slug = unknownSlug()
    const statusOf = (name: string, withinMs: number) => status(`${api.origin}/${name}`, withinMs)
    const failures: string[] = []
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        // It remembers that there is no such link.
        await waitUntil(async () => (await statusOf(slug, 5_000)) === 404, { what: 'the slug is unknown' })
        apiPostgres.setMode('black-hole')
        await create(other.origin, slug)
      },
      edits: { editor: () => other.origin, origins: () => [other.origin, api.origin], staleUntilMs: 4_000 },
      lasts: 10_000,
      heal() {
        apiPostgres.abandonConnections()
        apiPostgres.setMode('pass')
      },
      promises: { redirects: 99.9, drainedWithinMs: 60_000, logLines: 30 },
    })
    await waitUntil(async () => (await statusOf(slug, 2_000)) === 307, {
      what: 'the link of the other process is found',
      deadlineMs: knowsWithinMs * context.slack,
    }).catch(error => failures.push(error.message))
    // Changes are heard again, not only looked up: what is remembered as absent is forgotten when it is created.
    const later = unknownSlug()
    await waitUntil(async () => (await statusOf(later, 2_000)) === 404, { what: 'the next slug is unknown' })
    await create(other.origin, later)
    await waitUntil(async () => (await statusOf(later, 2_000)) === 307, {
      what: 'the next change is heard',
      deadlineMs: knowsWithinMs * context.slack,
    }).catch(error => failures.push(error.message))
    result.failures.push(...failures)
    return result
  },
}

async function create(origin: string, slug: string): Promise<void> {
  const response = await fetch(`${origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ long_url: 'https://example.com/', slug }),
  })
  if (response.status !== 201) throw new Error(`POST /shorten: ${response.status}`)
}

async function status(url: string, withinMs: number): Promise<number> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(withinMs) })
  await response.arrayBuffer()
  return response.status
}
