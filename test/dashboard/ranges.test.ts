/** In any time zone, the numbers of one view of the page are of one range. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { retireVisits } from '../../apps/worker/maintenance/retention/retire-visits.ts'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage } from './open-page.ts'
import type { PastVisit } from './past-visits.ts'
import { recordVisits, someVisit } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Breakdowns that list every visit by a human. */
const tables = ['Channel', 'Referrer', 'Country', 'Browser', 'Operating system', 'Device', 'Language']
const zones = ['America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati']

describe.skipIf(!browserAvailable())('the numbers of one view', () => {
  let dashboard: RunningDashboard
  let slug: string
  let visits: PastVisit[]
  const now = Date.now()
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    slug = await shorten(dashboard.origin)
    const random = seededRandom('ranges')
    visits = Array.from({ length: 3_000 }, (_, i) => someVisit(now - (i * hourMs) / 4, random))
    await recordVisits(dashboard.pool, slug, visits)
  }, 120_000)

  it('agree in zones other than UTC: card, chart, breakdowns and top links count the same visits', async () => {
    const { browser, origin } = dashboard
    for (const zone of zones) {
      for (const address of [`link=${slug}&period=week`, 'view=overview&period=day']) {
        const { page, incidents } = await openPage(browser, `${origin}/?${address}&tz=${zone}&show=table`)
        // Each card has a request of its own.
        await page.locator('.breakdown').first().waitFor()
        await waitUntil(async () => (await sumOf(page, 'Language')) > 0, { what: 'the breakdowns are shown' })
        const total = await figure(page, 'period')
        expect(total).toBeGreaterThan(20)
        expect(await page.locator('figcaption, caption').first().textContent()).toContain(
          `${total.toLocaleString('en')} visits by`,
        )
        for (const title of tables) expect([title, await sumOf(page, title)]).toEqual([title, total])
        if (address.includes('overview')) expect(await sumOf(page, 'Top links')).toBe(total)
        expect(await page.getByText('whole UTC days').count()).toBe(0)
        expect(incidents).toEqual([])
        await page.context().close()
      }
    }
  }, 120_000)

  it('that are of UTC days only have those days as their heading', async () => {
    const { browser, origin } = dashboard
    const local = await openPage(browser, `${origin}/?link=${slug}&period=week&tz=America/New_York`)
    const heading = local.page.locator('dt', { hasText: /^Unique visitors, .*\(UTC\)$/ })
    await heading.waitFor()
    const note = await local.page.getByText('by humans on these days').textContent()
    const [, shown = ''] = /of ([\d,]+) visits by humans/.exec(note ?? '') ?? []
    const uniques = await figure(local.page, 'uniques')
    expect(Number(shown.replaceAll(',', ''))).toBeGreaterThanOrEqual(uniques)
    const utc = await openPage(browser, `${origin}/?link=${slug}&period=week&tz=UTC`)
    await utc.page.locator('dt', { hasText: /^Unique visitors$/ }).waitFor()
    await utc.page.getByText('per day, summed').waitFor()
  })

  it('move to UTC days together where raw visits are no longer kept, and the page says why', async () => {
    const { browser, origin, pool } = dashboard
    await retireVisits(pool, 4)
    const { page, incidents } = await openPage(
      browser,
      `${origin}/?link=${slug}&period=week&tz=America/New_York`,
    )
    await page.getByText(/^Shown for whole UTC days, .* no longer kept/).waitFor()
    const date = Temporal.Instant.fromEpochMilliseconds(now)
      .toZonedDateTimeISO('America/New_York')
      .toPlainDate()
    const query = `from=${date.subtract({ days: 6 })}&tz=America/New_York`
    const { visits: _, ...report } = await ask<{ from: string; to: string; visits: number; humans: number }>(
      `${origin}/stats/${slug}/breakdowns?${query}`,
    )
    expect(report).toMatchObject({ widened_because: 'retention' })
    expect(Date.parse(report.from) % dayMs).toBe(0)
    await waitUntil(async () => (await figure(page, 'period')) === report.humans, { what: 'the same days' })
    for (const title of tables) expect([title, await sumOf(page, title)]).toEqual([title, report.humans])
    expect(await page.locator('figcaption').textContent()).toContain(
      `${report.humans.toLocaleString('en')} visits by`,
    )
    expect(incidents).toEqual([])
  })

  it('of a breakdown that may be off say by how much', async () => {
    const { browser, origin, pool } = dashboard
    await pool.query(
      `UPDATE link_breakdowns SET breakdowns = (breakdowns::jsonb || '{"r~": [7, 3]}')::json
       WHERE link_id = (SELECT id FROM links WHERE slug = $1)`,
      [slug],
    )
    await pool.query(
      `INSERT INTO breakdown_deltas (link_id, day, breakdowns)
       SELECT id, (now() AT TIME ZONE 'UTC')::date, '{"r~": [7, 3]}' FROM links WHERE slug = $1`,
      [slug],
    )
    const { page } = await openPage(browser, `${origin}/?link=${slug}&period=week&tz=UTC`)
    await page.getByText(/^Each may be up to \d+ higher\. A value that is not listed/).waitFor()
  })
})

async function figure(page: Page, name: string): Promise<number> {
  return Number((await page.getByTestId(name).textContent())?.replaceAll(',', ''))
}

async function sumOf(page: Page, title: string): Promise<number> {
  const cells = page.getByRole('table', { name: title, exact: true }).locator('td:nth-child(2)')
  const numbers = (await cells.allTextContents()).map(text => Number(text.replaceAll(',', '')))
  return numbers.reduce((sum, value) => sum + value, 0)
}
