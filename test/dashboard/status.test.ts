/** The status beside the period and in the head of the list, while the server, the network or the worker fails. */
import type { Page, Route } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { shorten, startApi, startWorker, visit } from '../support/hopcount.ts'
import { nightlyTest } from '../support/nightly.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { openPage } from './open-page.ts'
import { firefox } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const lost = /^not connected, numbers of \d\d:\d\d$/

describe.skipIf(!browserAvailable())('the status', () => {
  let dashboard: RunningDashboard
  let slug: string
  /** The network between the browser and the API, which is started again on another port. */
  let network: TcpProxy
  let origin: string
  let api: RunningApi
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    slug = await shorten(dashboard.origin)
    api = await startApi(dashboard.installation)
    network = await startTcpProxy(api)
    origin = `http://127.0.0.1:${network.port}`
  }, 120_000)

  const open = (address: string) => openPage(dashboard.browser, `${origin}/?${address}`)

  it('says that the server is gone, in one place and with one banner, and recovers when it is back', async () => {
    const pages = await Promise.all(['', `link=${slug}`, 'view=overview', 'view=keys'].map(open))
    const reports = pages.slice(0, 3).map(({ page }) => page)
    for (const page of reports) await hasStatus(page, 'live')
    const { port } = api
    api.process.kill('SIGKILL')
    await api.process.exited
    for (const page of reports) await hasStatus(page, lost)
    for (const { page } of pages) {
      await page.getByText('The server can’t be reached. Trying again…').waitFor()
      expect(await page.locator('.banner.danger').count()).toBe(1)
      expect(await page.locator('.status').count()).toBeLessThanOrEqual(1)
    }
    api = await startApi({ ...dashboard.installation, port })
    for (const page of reports) await hasStatus(page, 'live')
    for (const { page, incidents } of pages) {
      await page.locator('.banner.danger').waitFor({ state: 'detached' })
      expect(incidents).toEqual([])
      await page.context().close()
    }
  }, 120_000)

  nightlyTest(
    'is not “live” while responses hang, and recovers',
    async () => {
      const [{ page }, { page: list }] = await Promise.all([open(`link=${slug}`), open('sort=visits')])
      for (const each of [page, list]) await hasStatus(each, 'live')
      network.setMode('black-hole')
      for (const each of [page, list]) {
        await hasStatus(each, lost)
        await each.getByText('The server doesn’t respond. Trying again…').waitFor()
      }
      network.setMode('pass')
      for (const each of [page, list]) await hasStatus(each, 'live')
      await Promise.all([page.context().close(), list.context().close()])
    },
    120_000,
  )

  nightlyTest(
    'is not “live” after a response that is not the API’s, or that fails',
    async () => {
      const { page } = await open(`link=${slug}`)
      await hasStatus(page, 'live')
      const respond = (options: Parameters<Route['fulfill']>[0]) => (route: Route) => route.fulfill(options)
      const failures: [string, (route: Route) => Promise<void>][] = [
        ['a proxy’s page', respond({ contentType: 'text/html', body: '<p>Please sign in</p>' })],
        ['a proxy’s 404', respond({ status: 404, contentType: 'text/html', body: '<p>no backend</p>' })],
        ['503 by a proxy', respond({ status: 503, contentType: 'text/plain', body: 'no' })],
        ['503 by the API', respond(problem(503, 'The database is unavailable.'))],
        ['500 by the API', respond(problem(500, 'Something went wrong.'))],
        ['429 by the API', respond(problem(429, 'Too many requests.'))],
        ['half a document', respond({ contentType: 'application/json', body: '{"visits":' })],
        ['an aborted connection', route => route.abort()],
      ]
      for (const [i, [kind, failure]] of failures.entries()) {
        await page.route(/\/(stats|api)\//, failure)
        await page.keyboard.press(i % 2 === 0 ? 'w' : 'm')
        await hasStatus(page, lost, `after ${kind}`)
        expect(await page.locator('.banner.danger').count(), kind).toBe(1)
        expect(await page.getByText('There is no link').count(), kind).toBe(0)
        await page.unrouteAll({ behavior: 'ignoreErrors' })
        await hasStatus(page, 'live')
        expect(await page.locator('.banner.danger').count(), kind).toBe(0)
      }
      await page.context().close()
    },
    120_000,
  )

  it('is not “live” offline, nor when a hidden tab returns, before something has been read', async () => {
    const { page } = await open(`link=${slug}`)
    await hasStatus(page, 'live')
    await page.context().setOffline(true)
    await hasStatus(page, lost)
    await page.context().setOffline(false)
    await hasStatus(page, 'live')

    const held: Route[] = []
    await showOrHide(page, true)
    await page.route(/\/stats\//, route => void held.push(route))
    await showOrHide(page, false)
    await hasStatus(page, 'updating…')
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    for (const route of held) await route.continue().catch(() => {})
    await hasStatus(page, 'live')
    await page.context().close()
  })

  nightlyTest(
    'is rarely repeated: few requests are made while nothing changes, with and without a stream',
    async () => {
      const watchMs = 60_000
      const views = ['', `link=${slug}`, `view=overview&country=DE`]
      const opened = await Promise.all(
        [...views, ...views].map(async (view, i) => {
          const { page } = await openPage(dashboard.browser, 'about:blank')
          const requests: { url: string; at: number }[] = []
          page.on('request', request => requests.push({ url: request.url(), at: Date.now() }))
          if (i >= views.length) await page.route('**/live', route => route.abort())
          await page.goto(`${origin}/?${view}`)
          await hasStatus(page, 'live')
          return { page, requests }
        }),
      )
      for (const { requests } of opened) {
        // Until then the page is loading.
        await waitUntil(() => Date.now() - (requests.at(-1)?.at ?? 0) > 1_500, { what: 'a pause' })
      }
      const began = Date.now()
      await opened[0]?.page.waitForTimeout(watchMs)
      for (const { requests } of opened) {
        const made = requests.filter(({ at }) => at > began).map(({ url }) => url)
        expect(made.length, made.join('\n')).toBeLessThanOrEqual(12)
      }
      await Promise.all(opened.map(({ page }) => page.context().close()))
    },
    180_000,
  )

  nightlyTest(
    'says how many visits wait to be counted, and a change is seen without a poll',
    async () => {
      const [{ page }, { page: list }] = await Promise.all([open(`link=${slug}`), open('')])
      for (const each of [page, list]) await hasStatus(each, 'live')
      await visit(api.origin, slug, { 'user-agent': firefox })
      for (const each of [page, list]) await hasStatus(each, /^1 visit being counted, the oldest \d+ s old$/)
      await page
        .locator('.status + [role=status]')
        .getByText('Some visits are still being counted.')
        .waitFor()
      await startWorker(dashboard.installation)
      for (const each of [page, list]) await hasStatus(each, 'live')
      await waitUntil(async () => (await page.getByTestId('visits').textContent()) === '1', {
        what: 'the visit',
      })
      await page.locator('.status + [role=status]').getByText('The numbers are live.').waitFor()
    },
    120_000,
  )
})

function problem(status: number, detail: string) {
  return { status, contentType: 'application/problem+json', body: JSON.stringify({ detail }) }
}

async function hasStatus(page: Page, text: string | RegExp, when = ''): Promise<void> {
  const read = async () => (await page.locator('.status').textContent()) ?? ''
  let last = ''
  await waitUntil(
    async () => {
      last = await read()
      return typeof text === 'string' ? last === text : text.test(last)
    },
    { what: `the status ${text} ${when}`, deadlineMs: 60_000 },
  ).catch(error => {
    throw new Error(`${error.message}; it was ${last}`, { cause: error })
  })
}

/** What a browser does when its tab goes to the background: a headless one has no background. */
async function showOrHide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))`)
}
