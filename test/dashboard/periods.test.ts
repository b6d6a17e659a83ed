/** Periods that people mean, what they are compared with, and that the page says so. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage, phone } from './open-page.ts'
import type { PastVisit } from './past-visits.ts'
import { firefox, recordVisits, someVisit, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const zone = 'Europe/Berlin'
const inBerlin = (moment: number) => Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(zone)

interface Compared {
  range: { from: string; to: string; visits: number }
  previous: { from: string; to: string; visits: number }
  breakdowns: { browser: { value: string; humans: number; previous?: { humans: number } }[] }
}

describe.skipIf(!browserAvailable())('the period of a report', () => {
  let dashboard: RunningDashboard
  let slug: string
  let visits: PastVisit[]
  const now = Date.now()
  const today = inBerlin(now).startOfDay()
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    slug = await shorten(dashboard.origin)
    const random = seededRandom('periods')
    visits = Array.from({ length: 2_000 }, (_, i) => someVisit(now - 5 * 60_000 - i * 10 * hourMs, random))
    await recordVisits(dashboard.pool, slug, visits)
  }, 120_000)

  const at = (path: string, options = {}) =>
    openPage(dashboard.browser, `${dashboard.origin}/?link=${slug}${path}`, options)

  it('is one that people mean: its days are written out, and its visits are those of these days', async () => {
    const month = today.with({ day: 1 })
    const first = inBerlin(Math.min(...visits.map(visit => visit.visitedAt)))
    const tomorrow = today.add({ days: 1 })
    const periods = [
      ['Today', 'today', today, tomorrow],
      ['Yesterday', 'yesterday', today.subtract({ days: 1 }), today],
      ['Last 7 days', 'week', today.subtract({ days: 6 }), tomorrow],
      ['Last 30 days', undefined, today.subtract({ days: 29 }), tomorrow],
      ['This month', 'this-month', month, tomorrow],
      ['Last month', 'last-month', month.subtract({ months: 1 }), month],
      ['This year', 'year-to-date', today.with({ day: 1, month: 1 }), tomorrow],
      ['All time', 'all', first.startOfDay(), tomorrow],
    ] as const
    const { page, incidents } = await at('&bots=show')
    for (const [title, name, from, to] of periods) {
      await page.getByLabel('Period', { exact: true }).selectOption(title)
      // The interval is that of days, since a whole week or month would be more than the period.
      if (name === 'year-to-date') await page.getByLabel('Interval').selectOption('Days')
      const days = daysInWords(from, to)
      const counted = visits.filter(
        ({ visitedAt }) => visitedAt >= from.epochMilliseconds && visitedAt < to.epochMilliseconds,
      )
      await waitForRange(page, days)
      await waitUntil(async () => (await figure(page)) === counted.length, { what: `the visits ${title}` })
      expect(new URL(page.url()).searchParams.get('period')).toBe(name ?? null)
    }
    // Before all time there is nothing.
    expect(await page.getByLabel('Compare with').locator('option').allTextContents()).toEqual(['nothing'])
    expect(incidents).toEqual([])
  })

  it('is compared with what comes before, a month or a year before, and both ranges are written out', async () => {
    const { page, incidents } = await at('&period=custom&from=2025-11-01&to=2025-11-14')
    await waitForRange(page, '1–14 Nov 2025', '18–31 Oct 2025')
    await page.getByLabel('Compare with').selectOption('the year before')
    await waitForRange(page, '1–14 Nov 2025', '2–15 Nov 2024')
    expect(page.url()).toContain('compare=year')
    await page.getByLabel('Compare with').selectOption('the month before')
    await waitForRange(page, '1–14 Nov 2025', '4–17 Oct 2025')
    await page.getByLabel('to', { exact: true }).fill('2025-11-30')
    await waitForRange(page, '1–30 Nov 2025', '1–31 Oct 2025')

    await page.getByLabel('Period', { exact: true }).selectOption('Last month')
    const last = today.with({ day: 1 }).subtract({ months: 1 })
    const before = last.subtract({ months: 1 })
    await waitForRange(page, daysInWords(last, today.with({ day: 1 })), daysInWords(before, last))
    // What comes before a month is the month before: there is no other choice of that name.
    expect(await page.getByLabel('Compare with').locator('option').allTextContents()).toEqual([
      'the month before',
      'the year before',
      'nothing',
    ])
    await page.getByLabel('Compare with').selectOption('nothing')
    await waitForRange(page, daysInWords(last, today.with({ day: 1 })), 'nothing')
    // The breakdowns have a response of their own.
    await waitUntil(async () => (await page.locator('.change').count()) === 0, { what: 'no change is shown' })
    expect(incidents).toEqual([])
  })

  it('has an address that says so, and addresses of earlier versions keep their meaning', async () => {
    const week = [today.subtract({ days: 6 }), today.add({ days: 1 })] as const
    const { page } = await at('&period=last-month&compare=year')
    const last = today.with({ day: 1 }).subtract({ months: 1 })
    const yearBefore = last.subtract({ years: 1 })
    await waitForRange(
      page,
      daysInWords(last, last.add({ months: 1 })),
      daysInWords(yearBefore, yearBefore.add({ months: 1 })),
    )
    expect(await page.getByLabel('Period', { exact: true }).inputValue()).toBe('last-month')
    await page.goto(`${dashboard.origin}/?link=${slug}&period=week&compare=off`)
    await waitForRange(page, daysInWords(...week), 'nothing')
    await page.goto(`${dashboard.origin}/?link=${slug}&period=custom&from=2026-01-01&to=2026-01-31`)
    await waitForRange(page, '1–31 Jan 2026', '1–31 Dec 2025')
    await page.goto(`${dashboard.origin}/?link=${slug}&period=century&compare=decade`)
    await waitForRange(page, daysInWords(today.subtract({ days: 29 }), week[1]))
  })

  it('of hours stands beside the same hours, whole days earlier', async () => {
    const { page } = await at('&period=week&interval=hour&show=table')
    await page.locator('.series-table td.muted').first().waitFor()
    const rows = await page
      .locator('.series-table tbody tr')
      .evaluateAll(all =>
        all.map(row => [
          row.querySelector('th')?.textContent ?? '',
          row.querySelector('td.muted')?.getAttribute('title') ?? '',
        ]),
      )
    expect(rows.length).toBeGreaterThan(6 * 24)
    for (const [own = '', before = ''] of rows) {
      const [hour] = /\d\d:\d\d/.exec(own) ?? []
      expect(before).toContain(hour)
      // The same day of the week, a week before.
      expect(before.slice(0, 3)).toBe(own.slice(0, 3))
    }
  })

  it('is compared by every value of a breakdown: in percent, or as a factor, and not with nothing', async () => {
    const { origin, pool, browser } = dashboard
    const growing = await shorten(origin)
    const noon = today.subtract({ days: 3 }).add({ hours: 12 }).epochMilliseconds
    const weekBefore = noon - 7 * dayMs
    const by = (agent: string, count: number, time: number) =>
      visitsAt(Array.from({ length: count }, (_, i) => time + i)).map(visit => ({
        ...visit,
        userAgent: agent,
      }))
    const chrome =
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36'
    const safari =
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15'
    await recordVisits(pool, growing, [
      ...by(firefox, 36, noon),
      ...by(firefox, 3, weekBefore),
      ...by(chrome, 15, noon),
      ...by(chrome, 20, weekBefore),
      ...by(safari, 9, noon),
    ])
    const { page, incidents } = await openPage(browser, `${origin}/?link=${growing}&period=week`)
    const table = page.getByRole('table', { name: 'Browser', exact: true })
    const row = (name: string) => table.locator('tr', { hasText: name })
    await row('Firefox').getByText('▲ ×12').waitFor()
    await row('Firefox')
      .getByText('12 times as many as in the period before (3)')
      .waitFor({ state: 'attached' })
    await row('Chrome').getByText('▼ 25 %').waitFor()
    expect(await row('Safari').locator('.change').count()).toBe(0)
    const { breakdowns } = await ask<Compared>(
      `${origin}/stats/${growing}/breakdowns?from=${today.subtract({ days: 6 }).toPlainDate()}&tz=${zone}&compare=previous`,
    )
    expect(breakdowns.browser.map(({ value, previous }) => [value, previous?.humans])).toEqual([
      ['Firefox', 3],
      ['Chrome', 20],
      ['Safari', 0],
    ])
    await page.getByLabel('Compare with').selectOption('the year before')
    await waitUntil(async () => (await page.locator('.change').count()) === 0, {
      what: 'nothing is compared with nothing',
    })
    expect(incidents).toEqual([])
  })

  it('is chosen by keyboard, and on a phone', async () => {
    const { page, incidents } = await at('', phone)
    for (const [key, title] of [
      ['d', 'Last 24 hours'],
      ['w', 'Last 7 days'],
      ['y', 'Last 12 months'],
      ['m', 'Last 30 days'],
    ] as const) {
      await page.keyboard.press(key)
      await page
        .getByLabel('Period', { exact: true })
        .locator('option:checked')
        .getByText(title)
        .waitFor({ state: 'attached' })
    }
    await page.getByLabel('Period', { exact: true }).focus()
    await page.keyboard.type('Yest')
    await page.waitForURL(/period=yesterday/)
    await waitForRange(page, daysInWords(today.subtract({ days: 1 }), today))
    await page.goBack()
    await waitForRange(page, daysInWords(today.subtract({ days: 29 }), today.add({ days: 1 })))
    expect(incidents).toEqual([])
  })
})

/** “24 Oct – 22 Nov 2026” */
function daysInWords(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...({ day: 'numeric', month: 'short', year: 'numeric' } as const),
    timeZone: zone,
  })
  return withPlainSpaces(format.formatRange(from.epochMilliseconds, to.epochMilliseconds - 1))
}

/** Browser and Node.js set different ones around a dash; between two numbers there are none. */
function withPlainSpaces(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/(?<=\d) – (?=\d+ \w+ \d{4})/g, '–')
}

/** Waits until both ranges are these; without `before` the second one may be any. */
async function waitForRange(page: Page, range: string, before?: string): Promise<void> {
  await waitUntil(
    async () => {
      const [line = ''] = await page.locator('.range-line').allTextContents()
      const [own, compared = 'nothing'] = withPlainSpaces(line).split(' compared with ')
      expect([own, before ?? compared]).toEqual([range, compared])
      return true
    },
    { what: `the range ${range}` },
  )
}

async function figure(page: Page): Promise<number> {
  return Number((await page.getByTestId('period').textContent())?.replaceAll(',', ''))
}
