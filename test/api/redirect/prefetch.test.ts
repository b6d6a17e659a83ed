/** A page that asks the browser to fetch a link ahead makes no visit; the person who follows it makes one. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserAvailable, openBrowser } from '../../dashboard/chromium.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import {
  linkStats,
  openPool,
  shorten,
  startApi,
  startWorker,
  visit,
  waitForVisits,
} from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

/** Headless Chromium says so in its user agent, and is a bot. */
const chrome =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

let databaseUrl: string
let api: RunningApi
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  const installation = { databaseUrl, env: { ALLOW_PRIVATE_TARGETS: 'true' } }
  api = await startApi(installation)
  await startWorker(installation)
})

async function prefetchesRefused(): Promise<number> {
  const metrics = await fetch(`${api.origin}/metrics`).then(answer => answer.text())
  return Number(/^hopcount_prefetches_refused_total (\d+)$/m.exec(metrics)?.[1])
}

test.each([
  { 'sec-purpose': 'prefetch' },
  { 'sec-purpose': 'prefetch;prerender' },
  { 'sec-purpose': 'prefetch;anonymous-client-ip' },
  { 'sec-purpose': 'Prefetch ; prerender' },
  { 'sec-purpose': 'something, prefetch' },
  { purpose: 'prefetch' },
  { purpose: 'preview' },
  { 'x-moz': 'prefetch' },
  { 'x-purpose': 'preview' },
  { 'x-purpose': 'PREFETCH' },
  { 'sec-purpose': 'something', purpose: 'prefetch' },
  { purpose: '', 'x-moz': 'prefetch' },
  { 'x-purpose': 'instant', 'x-moz': 'prefetch' },
])('%o is refused, and counts nothing', async headers => {
  const slug = await shorten(api.origin)
  const before = await prefetchesRefused()
  for (const method of ['GET', 'HEAD']) {
    const answer = await fetch(`${api.origin}/${slug}`, {
      method,
      redirect: 'manual',
      headers,
    })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('location')).toBeNull()
  }
  await visit(api.origin, slug)
  expect(await waitForVisits(api.origin, slug, 1)).toMatchObject({ visits: 1 })
  expect(await prefetchesRefused()).toBe(before + 2)
})

test.each([
  ['sec-purpose', 'none'],
  ['purpose', ''],
  ['x-moz', 'prefetcher'],
])('%s: %s is a visit', async (name, value) => {
  const slug = await shorten(api.origin)
  await visit(api.origin, slug, { [name]: value })
  await waitForVisits(api.origin, slug, 1)
})

describe.skipIf(!browserAvailable())('in the browser', () => {
  const pages = new Map<string, string>()
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(pages.get(request.url ?? '') ?? '<h1>target</h1>')
  })
  let origin: string
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  const rules = (kind: string, url: string) =>
    `<script type="speculationrules">{"${kind}": [{"source": "list", "urls": ["${url}"]}]}</script>`

  test.each([
    ['a prefetch link', (url: string) => `<link rel="prefetch" href="${url}">`],
    ['a rule to prefetch', (url: string) => rules('prefetch', url)],
    ['a rule to prerender', (url: string) => rules('prerender', url)],
  ])('%s makes no visit, and following the link makes one', async (_, markup) => {
    const slug = await shorten(api.origin, { long_url: `${origin}/target` })
    const url = `${api.origin}/${slug}`
    pages.set(`/${slug}`, `<!doctype html>${markup(url)}<a href="${url}">go</a>`)
    const before = await prefetchesRefused()
    const page = await (await openBrowser()).newPage({ userAgent: chrome })
    await page.goto(`${origin}/${slug}`)
    await waitUntil(async () => (await prefetchesRefused()) > before, {
      what: 'the browser prefetches the link',
    })
    expect(await linkStats(api.origin, slug)).toMatchObject({ visits: 0 })
    await page.click('a')
    await page.waitForURL(`${origin}/target`)
    expect(await waitForVisits(api.origin, slug, 1)).toMatchObject({ visits: 1, uniques: 1 })
  })
})

test('requests for an expired link are no visits, and are counted apart', async () => {
  const slug = await shorten(api.origin, { expires_at: new Date(Date.now() + 3_600_000).toISOString() })
  const other = await shorten(api.origin)
  await visit(api.origin, slug)
  await waitForVisits(api.origin, slug, 1)
  const pool = openPool(databaseUrl)
  await pool.query(`UPDATE links SET expires_at = now() - interval '1 second' WHERE slug = $1`, [slug])
  // Another process, which has not cached the link.
  const second = await startApi({ databaseUrl })
  for (let i = 0; i < 3; i++) expect((await fetch(`${second.origin}/${slug}`)).status).toBe(410)
  expect((await fetch(`${second.origin}/${slug}`, { method: 'HEAD' })).status).toBe(410)
  await second.process.stop()
  await waitUntil(async () => (await goneRequests(slug)) === 3, { what: 'three requests are counted apart' })
  expect(await goneRequests(other)).toBe(0)
  expect(await linkStats(api.origin, slug)).toMatchObject({ visits: 1 })
})

async function goneRequests(slug: string): Promise<number> {
  return ((await linkStats(api.origin, slug)) as unknown as { gone_requests: number }).gone_requests
}
