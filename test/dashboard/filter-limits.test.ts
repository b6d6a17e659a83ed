/** Filters where single visits are many, or take too long to be counted. A locked table takes as long as one that is too large. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage } from './open-page.ts'
import type { PastVisit } from './past-visits.ts'
import { firefox, recordVisits } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const dayMs = 86_400_000
const today = Math.floor(Date.now() / dayMs) * dayMs
const oldDay = today - 10 * dayMs
const german = { address: '193.99.144.5', userAgent: firefox, referrer: undefined, language: 'de' }
const curl = { ...german, userAgent: 'curl/8.14.1', address: '8.8.8.8', language: 'en' }

describe.skipIf(!browserAvailable())('filters', () => {
  let dashboard: RunningDashboard
  let busy: string
  let quiet: string
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    const { origin, pool } = dashboard
    busy = await shorten(origin)
    quiet = await shorten(origin)
    const at = (times: number[], visit: Omit<PastVisit, 'visitedAt'>) =>
      times.map(visitedAt => ({ ...visit, visitedAt }))
    const many = Array.from({ length: 600 }, (_, i) => oldDay + i * 1_000)
    const few = Array.from({ length: 30 }, (_, i) => Date.now() - (i + 1) * 1_000)
    await recordVisits(pool, busy, [...at(many, german), ...at(few, curl), ...at(few.slice(0, 3), german)])
    await recordVisits(pool, quiet, at(few.slice(0, 7), german))
    await pool.query('SELECT ensure_visit_partitions($1::date, 1)', [dayText(oldDay)])
  }, 120_000)

  /** While `work` runs, whatever reads visits of the old day waits until its time is over. */
  async function whileTooLong(work: () => Promise<void>): Promise<void> {
    const client = await dashboard.pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(`LOCK TABLE visits_${dayText(oldDay).replaceAll('-', '')} IN ACCESS EXCLUSIVE MODE`)
      await work()
    } finally {
      client.release(true)
    }
  }

  it('too long for a link or for all links get the longest range, which can be counted', async () => {
    const { origin } = dashboard
    const refused: { url: string; problem: unknown }[] = []
    await whileTooLong(async () => {
      for (const [path, visits] of [
        [busy, 3],
        ['overall', 10],
      ]) {
        const url = (from: string) => `${origin}/stats/${path}/filtered?interval=hour&country=DE&from=${from}`
        const askedAt = Date.now()
        const response = await fetch(url(dayText(oldDay)))
        const problem = (await response.json()) as { status: number; longest: { from: string; to: string } }
        expect(problem).toMatchObject({ status: 422, detail: expect.stringContaining('too many visits') })
        refused.push({ url: url(dayText(oldDay)), problem })
        const { from, to } = problem.longest
        expect(Date.parse(from)).toBeGreaterThanOrEqual(oldDay + dayMs / 144)
        expect(Date.parse(to)).toBeGreaterThanOrEqual(askedAt)
        expect(await ask(url(from))).toMatchObject({ visits })
      }
    })
    // Not counted again, although that would be quick now.
    for (const { url, problem } of refused) expect(await (await fetch(url)).json()).toEqual(problem)
  }, 60_000)

  it('apply to recent visits and to top links', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?view=overview&tz=UTC&period=week`)
    const top = page.getByRole('table', { name: 'Top links', exact: true })
    const recent = page.locator('table.recent tbody tr')
    await top.getByRole('row', { name: `/${busy}` }).waitFor()
    await page.getByRole('button', { name: 'Germany' }).click()
    await waitUntil(
      async () => (await top.locator('tbody tr').allTextContents()).join().startsWith(`/${quiet}7`),
      {
        what: 'the ranking by visits from Germany',
      },
    )
    await recent.filter({ hasText: 'United States' }).first().waitFor({ state: 'detached' })
    expect(await recent.count()).toBe(10)
    await page.goto(`${origin}/?view=overview&tz=UTC&period=all&country=DE`)
    await page.getByRole('link', { name: 'Older' }).click()
    await page.getByRole('heading', { name: 'Older visits' }).waitFor()
    expect(await recent.filter({ hasText: 'United States' }).count()).toBe(0)
    expect(incidents).toEqual([])
    await page.context().close()
  })

  it('of visits go from page to page through all that match, and no others', async () => {
    const { origin } = dashboard
    for (const [path, query, count] of [
      [busy, 'class=bot', 30],
      [busy, 'country=DE&class=human', 603],
      ['overall', 'browser=Firefox&language=de', 610],
      [quiet, 'referrer=&country=US', 0],
    ] as const) {
      const visits: { visited_at: string }[] = []
      let next: string | undefined = `/stats/${path}/visits?limit=13&${query}`
      while (next !== undefined) {
        const response: Response = await fetch(origin + next)
        visits.push(...((await response.json()) as typeof visits))
        next = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
      }
      expect(visits.length, `${path} ${query}`).toBe(count)
      const times = visits.map(visit => visit.visited_at)
      expect(times).toEqual([...times].sort().reverse())
    }
  }, 60_000)

  it('that take too long keep the report, dimmed, and offer the longest range that works', async () => {
    const { browser, origin } = dashboard
    await whileTooLong(async () => {
      const { page, incidents } = await openPage(browser, `${origin}/?view=overview&tz=UTC`)
      await page.getByRole('button', { name: 'Germany' }).waitFor()
      const before = await page.getByTestId('period').textContent()
      const requests: string[] = []
      page.on('request', request => requests.push(request.url()))
      await page.getByRole('button', { name: 'Germany' }).click()
      const alert = page.locator('.too-long[role=alert]')
      await alert.getByText('it has too many visits').waitFor()
      expect(await page.locator('.dimmed').getByTestId('period').textContent()).toBe(before)
      expect(await page.locator('.dimmed').getByRole('table', { name: 'Country' }).count()).toBe(1)
      expect(await page.locator('.dimmed .card').count()).toBeGreaterThan(6)
      expect(await page.locator('.status').textContent()).toBe('live')
      expect(await page.locator('.banner.danger').count()).toBe(0)

      // Neither polling nor a new visit repeats the question.
      const refused = () => requests.filter(url => url.includes('/filtered')).length
      expect(refused()).toBe(1)
      await recordVisits(dashboard.pool, busy, [{ ...german, visitedAt: Date.now() }])
      await waitUntil(async () => (await page.getByTestId('period').textContent()) !== before, {
        what: 'the new visit',
      })
      expect(refused()).toBe(1)

      // A busy machine may refuse the longest range as well, and offer a shorter one.
      const showLongest = () => alert.getByRole('button', { name: /^Show from / }).click({ timeout: 1_000 })
      await waitUntil(
        () =>
          showLongest().then(
            () => false,
            () => alert.count().then(count => count === 0),
          ),
        {
          what: 'a range that works',
          everyMs: 1_000,
        },
      )
      await figure(page, 'period', 11)
      expect(await page.locator('.dimmed').count()).toBe(0)
      expect(incidents).toEqual([])
      await page.context().close()
    })
  }, 90_000)
})

function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

async function figure(page: Page, name: string, count: number): Promise<void> {
  await waitUntil(async () => (await page.getByTestId(name).textContent()) === String(count), {
    what: `${name} is ${count}`,
  })
}
