import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten, visit } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { openPage } from './open-page.ts'
import { firefox, recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const byPerson = { 'user-agent': firefox, referer: 'https://blog.example/post' }

describe.skipIf(!browserAvailable())('the live counter and files', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, 120_000)

  it('counts rise live, on the link’s page and on the overview, from the stream', async () => {
    const { browser, origin } = dashboard
    const slug = await shorten(origin)
    const opened = await Promise.all([
      openPage(browser, `${origin}/?link=${slug}&period=hour`),
      openPage(browser, `${origin}/?view=overview`),
    ])
    for (const { page } of opened) await page.getByText('live', { exact: true }).waitFor()
    for (let i = 1; i <= 3; i++) {
      await visit(origin, slug, byPerson)
      for (const { page } of opened) {
        await counted(page, 'now', i)
        await counted(page, 'visits', i)
        await counted(page, 'period', i)
      }
    }
    const [link] = opened
    await link?.page.getByRole('button', { name: 'blog.example' }).waitFor()
    await link?.page.locator('.recent').getByText('https://blog.example/post').first().waitFor()
    for (const { incidents } of opened) expect(incidents).toEqual([])
  })

  it('polls the counts while there is no stream', async () => {
    const { browser, origin } = dashboard
    const slug = await shorten(origin)
    const { page } = await openPage(browser, 'about:blank')
    await page.route('**/live', route => route.fulfill({ status: 503 }))
    await page.goto(`${origin}/?link=${slug}`)
    await visit(origin, slug, byPerson)
    await counted(page, 'now', 1)
    await counted(page, 'visits', 1)
    // What was refused is tried again after a while.
    const opened = page.waitForResponse(response => response.url().endsWith('/live') && response.ok())
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await opened
  })

  it('reopens a stream that was cut off', async () => {
    const { browser, origin } = dashboard
    const slug = await shorten(origin)
    const { page } = await openPage(browser, `${origin}/?link=${slug}`)
    await page.getByText('live', { exact: true }).waitFor()
    await page.context().setOffline(true)
    await page.getByText('Trying again…').waitFor()
    await page.context().setOffline(false)
    await page.getByText('Trying again…').waitFor({ state: 'detached' })
    await visit(origin, slug, byPerson)
    await counted(page, 'visits', 1)
  })

  it('exports contain what the page shows, in both formats', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const now = Date.now()
    await recordVisits(pool, slug, [
      ...visitsAt([now - 60_000, now - 120_000]),
      { visitedAt: now - 180_000, referrer: 'https://blog.example/', userAgent: '=cmd|calc' },
    ])
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&period=week&tz=UTC`)
    await page.locator('summary').filter({ hasText: 'Export' }).click()
    async function file(name: string) {
      const download = page.waitForEvent('download')
      await page.getByRole('link', { name, exact: true }).click()
      const saved = await download
      return { name: saved.suggestedFilename(), text: await readFile(await saved.path(), 'utf8') }
    }

    const series = await file('Visits over time, CSV')
    expect(series.name).toBe(`${slug}-series.csv`)
    const [head, ...days] = series.text.trim().split(/\r?\n/)
    const column = head?.split(',').indexOf('visits') ?? -1
    expect(days.length).toBe(7)
    expect(days.reduce((sum, day) => sum + Number(day.split(',')[column]), 0)).toBe(3)

    const lines = (await file('Breakdowns, NDJSON')).text.trim().split('\n')
    const referrers = lines.map(line => JSON.parse(line)).filter(row => row.value === 'blog.example')
    expect(referrers).toMatchObject([{ dimension: 'referrer', visits: 1 }])

    const excel = await file('Every visit, Excel')
    expect(excel.text).toMatch(/^\ufeffvisited_at,/)
    expect(excel.text).toContain(',Firefox,148,')

    const visits = await file('Every visit, CSV')
    expect(visits.text.trim().split(/\r?\n/).length).toBe(4)
    expect(visits.text).toContain("'=cmd|calc")
    expect(incidents).toEqual([])
  })

  it('the first page view is measured', async () => {
    const { browser, origin } = dashboard
    const times: string[] = []
    for (const [name, path] of [
      ['links', '/'],
      ['overview', '/?view=overview'],
    ]) {
      const { page } = await openPage(browser, 'about:blank')
      const began = performance.now()
      await page.goto(origin + path)
      await page.locator('.link-rows, .time-chart g').first().waitFor()
      times.push(`${name} ${Math.round(performance.now() - began)} ms`)
      await page.context().close()
    }
    console.log(`first view with numbers, nothing cached: ${times.join(', ')}`)
  })
})

async function counted(page: Page, name: string, count: number): Promise<void> {
  await waitUntil(async () => (await page.getByTestId(name).textContent()) === String(count), {
    what: `${name} is ${count}`,
  })
}
