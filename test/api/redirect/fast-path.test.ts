/**
 * A redirect is the same by the fast path as by Fastify: each request is sent both ways, and the responses must be equal
 * byte for byte but for Date.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import type { DecodedVisit } from '../../../apps/shared/visits/decode-batch.ts'
import { decodeBatch } from '../../../apps/shared/visits/decode-batch.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, visit } from '../../support/hopcount.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { bothWays, encoded, exchange, statusesOf } from './both-ways.ts'
import type { Kind } from './kinds-of-requests.ts'
import { get, kinds } from './kinds-of-requests.ts'

const reportOrdinary = `--import=${fileURLToPath(new URL('report-ordinary.ts', import.meta.url))}`
const target = 'https://elsewhere.example/a/long/way?to=go'

/** Each request of the kind says its name. */
function named(name: string, { bytes }: Kind): (path: string) => string {
  return path => bytes(path).replace(/ HTTP\/1\.[01]\r\n/g, `$&x-case: ${marker(name)}\r\n`)
}

const marker = (name: string) => name.replace(/\W+/g, '-')

const withoutLink = ({ linkId, visitedAt, ...rest }: DecodedVisit) => rest

/** Those in the spool of an API that has stopped. */
function visitsIn(spoolDir: string): DecodedVisit[] {
  const files = readdirSync(spoolDir, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.sealed'),
  )
  return files.sort().flatMap(name => decodeBatch(readFileSync(join(spoolDir, name))).visits)
}

describe.each<[string, Record<string, string>]>([
  ['without a proxy', {}],
  ['behind a proxy', { TRUST_PROXY: '127.0.0.0/8, 10.0.0.0/8' }],
])('%s, a link in memory is followed by the fast path as by Fastify', (_, env) => {
  let api: RunningApi
  let databaseUrl: string
  let spoolDir: string
  let slugs: [string, string]
  beforeAll(async () => {
    spoolDir = temporaryFolder()
    databaseUrl = (await createTestDatabase()).url
    api = await startApi({ databaseUrl, spoolDir, env: { ...env, NODE_OPTIONS: reportOrdinary } })
    slugs = [await shorten(api.origin, { long_url: target }), await shorten(api.origin, { long_url: target })]
    for (const slug of slugs) await visit(api.origin, slug)
  })

  test.each(Object.entries(kinds))('%s', async (name, kind) => {
    const [fast, ordinary] = await bothWays(api.port, ...slugs, { ...kind, bytes: named(name, kind) })
    expect(statusesOf(fast)).toEqual(kind.statuses)
    expect(fast).toBe(ordinary.replaceAll(slugs[1], slugs[0]))
  })

  test('a word that has become a route leads there, although there is a link with that slug', async () => {
    await openPool(databaseUrl).query(`INSERT INTO links (slug, long_url) VALUES ('healthz', $1)`, [target])
    for (const [path, status] of [
      ['/healthz.', 307],
      ['/healthz', 200],
    ] as const)
      expect(statusesOf(await exchange(api.port, get()(path), { statuses: [status] }))).toEqual([status])
  })

  test('a stored text that no header can hold is sent percent-encoded', async () => {
    await openPool(databaseUrl).query(`INSERT INTO links (slug, long_url) VALUES ('odd', $1)`, [
      `${target}…\n ü`,
    ])
    await visit(api.origin, 'odd')
    const [fast, ordinary] = await bothWays(api.port, 'odd', 'odd', { bytes: get(), statuses: [307] })
    expect(fast).toContain(`location: ${target}%E2%80%A6%0A%20%C3%BC\r\n`)
    expect(fast).toBe(ordinary)
  })

  test('a stopping process ends connections, and all visits before were recorded alike', async () => {
    const { rows } = await openPool(databaseUrl).query<{ id: string }>('SELECT id FROM links ORDER BY id')
    const hasStopped = Promise.withResolvers<void>()
    const readyz = () => fetch(`${api.origin}/readyz`)
    let begun = 0
    /** Requests that have begun are served whenever they end. */
    async function stopOnceBothHaveBegun(): Promise<void> {
      if (++begun < slugs.length) return hasStopped.promise
      await readyz()
      api.process.kill()
      const isStopping = () =>
        readyz().then(
          ({ status }) => status === 503,
          () => true,
        )
      await waitUntil(isStopping, { what: 'the process is stopping' })
      hasStopped.resolve()
    }
    const [fast, ordinary] = await Promise.all(
      [slugs[0], encoded(slugs[1])].map(slug =>
        exchange(api.port, get()(`/${slug}`), { statuses: [307] }, stopOnceBothHaveBegun),
      ),
    )
    expect(fast).toMatch(/^connection: close$/im)
    expect(fast).toBe(ordinary)
    await api.process.exited

    // The fast path has taken what is plain.
    const plain = Object.entries(kinds).flatMap(([name, { isFast }]) => (isFast ? marker(name) : []))
    const handled = [...api.process.output().matchAll(/^ordinary (\S+) \/(\S+)$/gm)]
    const left = handled.flatMap(([, name = '', path = '']) => (path.startsWith(slugs[0]) ? name : []))
    expect(left).toContain('HEAD')
    expect(left.filter(name => plain.includes(name))).toEqual([])

    const visits = visitsIn(spoolDir)
    const visitsOf = rows.map(({ id }) =>
      visits.filter(({ linkId }) => linkId === Number(id)).map(withoutLink),
    )
    expect(visitsOf[0]).toEqual(visitsOf[1])
    const redirects = Object.entries(kinds).flatMap(([name, { statuses }]) =>
      name === 'HEAD' ? [] : statuses.filter(status => status === 307),
    )
    // The first one brought the link into memory, and the last one came while the process stopped.
    expect(visitsOf[0]).toHaveLength(1 + redirects.length + 1)
  })
})
