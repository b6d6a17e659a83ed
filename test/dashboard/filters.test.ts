import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage } from './open-page.ts'
import type { PastVisit } from './past-visits.ts'
import { recordVisits, someVisit, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

interface Report {
  visits: number
  humans: number
  uniques: number
  range: { visits: number; humans: number; bots: number; previews: number }
  breakdowns: Record<string, { value: string; visits: number; humans: number }[]>
}

const hourMs = 3_600_000

describe.skipIf(!browserAvailable())('breakdowns and filters', () => {
  let dashboard: RunningDashboard
  let slug: string
  beforeAll(async () => {
    dashboard = await startDashboard()
    slug = await shorten(dashboard.origin)
    const random = seededRandom('filters')
    const now = Date.now()
    const visits = Array.from({ length: 4_000 }, (_, i) => someVisit(now - (i * hourMs) / 6, random))
    await recordVisits(dashboard.pool, slug, visits)
  }, 120_000)

  it('show the API’s numbers, for a link and for all links, by humans and by everyone', async () => {
    const { browser, origin } = dashboard
    for (const [address, path] of [
      [`link=${slug}`, `/stats/${slug}`],
      ['view=overview', '/stats/overall'],
    ]) {
      for (const [bots, metric] of [
        ['', 'humans'],
        ['&bots=show', 'visits'],
      ] as const) {
        const { page, incidents } = await openPage(browser, `${origin}/?${address}&tz=UTC&period=week${bots}`)
        const from = new Date(Date.now() - 6 * 24 * hourMs).toISOString().slice(0, 10)
        const stats = await ask<Report>(`${origin}${path}?from=${from}`)
        const days = await ask<Report>(`${origin}${path}/breakdowns?from=${from}&limit=30`)
        await page.locator('.breakdown').first().waitFor()
        expect(await figure(page, 'period')).toBe(stats.range[metric])
        expect(await figure(page, 'visits')).toBe(stats[metric])
        expect(await figure(page, 'uniques')).toBe(days.uniques)
        const shown = await Promise.all(Object.keys(titles).map(title => table(page, title)))
        const expected = Object.values(titles).map(dimension =>
          days.breakdowns[dimension]
            ?.map(value => value[metric])
            .filter(count => count > 0)
            .sort((a, b) => b - a),
        )
        expect(shown).toEqual(expected)
        // UTC days of a UTC week: there is nothing to explain.
        expect(await page.getByText('UTC days').count()).toBe(0)
        expect(incidents).toEqual([])
        await page.context().close()
      }
    }
  })

  it('filter on a click; filters combine, are part of the address, and can be removed one by one', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&tz=UTC&period=week`)
    await page.getByRole('button', { name: 'Germany' }).click()
    await page.getByRole('button', { name: 'Mobile' }).click()
    await page.getByRole('button', { name: 'Direct or unknown' }).click()
    await page.waitForURL('**/?*referrer=&country=DE&device=mobile*')
    const from = new Date(Date.now() - 6 * 24 * hourMs).toISOString().slice(0, 10)
    const filtered = (filters: string) =>
      ask<Report>(`${origin}/stats/${slug}/filtered?from=${from}&${filters}`)
    const three = await filtered('referrer=&country=DE&device=mobile')
    await waitUntil(async () => (await figure(page, 'period')) === three.humans, {
      what: 'the filtered count',
    })
    expect(await page.locator('figcaption').textContent()).toContain(`${three.humans} visit`)

    const { page: other } = await openPage(browser, page.url())
    await waitUntil(async () => (await figure(other, 'period')) === three.humans, { what: 'the same count' })

    await page.getByRole('button', { name: 'Remove the filter Referrer: Direct or unknown' }).click()
    const two = await filtered('country=DE&device=mobile')
    await waitUntil(async () => (await figure(page, 'period')) === two.humans, { what: 'two filters' })
    expect(await table(page, 'Browser')).toEqual(two.breakdowns.browser?.map(value => value.humans))
    await page.getByText('not available with filters').waitFor()
    await page.getByRole('button', { name: 'Remove all' }).click()
    const all = await ask<Report>(`${origin}/stats/${slug}?from=${from}`)
    await waitUntil(async () => (await figure(page, 'period')) === all.range.humans, { what: 'no filter' })
    await page.goBack()
    await waitUntil(async () => (await figure(page, 'period')) === two.humans, { what: 'filters again' })
    expect(incidents).toEqual([])
  })

  it('a click on a channel shows only its visits, and their referrers', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&tz=UTC&period=week`)
    await page.getByRole('button', { name: 'Social networks' }).click()
    await page.waitForURL('**/?*channel=social*')
    const from = new Date(Date.now() - 6 * 24 * hourMs).toISOString().slice(0, 10)
    const social = await ask<Report>(`${origin}/stats/${slug}/filtered?from=${from}&channel=social`)
    await waitUntil(async () => (await figure(page, 'period')) === social.humans, { what: 'one channel' })
    expect(social.breakdowns.referrer?.map(({ value }) => value).sort()).toEqual(['Hacker News', 'X'])
    expect(await table(page, 'Referrer')).toEqual(social.breakdowns.referrer?.map(value => value.humans))
    await page.getByRole('button', { name: 'Remove the filter Channel: Social networks' }).click()
    await page.waitForURL(url => !url.search.includes('channel'))
    expect(incidents).toEqual([])
  })

  it('with bots shown, filter by class on a click, and an export contains the same visits', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(
      browser,
      `${origin}/?link=${slug}&tz=UTC&period=week&bots=show`,
    )
    const from = new Date(Date.now() - 6 * 24 * hourMs).toISOString().slice(0, 10)
    const { range } = await ask<Report>(`${origin}/stats/${slug}?from=${from}`)
    await page.locator('.breakdown').first().waitFor()
    expect(await table(page, 'Visits by')).toEqual(
      [range.humans, range.bots, range.previews].sort((a, b) => b - a),
    )
    const { breakdowns } = await ask<Report>(`${origin}/stats/${slug}/breakdowns?from=${from}`)
    for (const [title, dimension] of Object.entries(botTitles)) {
      const bots = breakdowns[dimension]?.filter(({ value }) => value !== '').map(({ visits }) => visits)
      expect(await table(page, title)).toEqual(bots)
    }
    const searches = breakdowns.bot_group?.find(({ value }) => value === 'search')?.visits
    await page.getByRole('button', { name: 'Search engines', exact: true }).click()
    await page.waitForURL('**/?*bot_group=search*')
    await waitUntil(async () => (await figure(page, 'period')) === searches, { what: 'search engines alone' })
    await page.getByRole('button', { name: 'Remove the filter Kind of bot: Search engines' }).click()
    await page.getByRole('button', { name: 'bots', exact: true }).click()
    await page.waitForURL('**/?*class=bot*')
    await waitUntil(async () => (await figure(page, 'period')) === range.bots, { what: 'bots alone' })
    expect(await table(page, 'Visits by')).toEqual([range.bots])

    await page.locator('summary').filter({ hasText: 'Export' }).click()
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Every visit, NDJSON', exact: true }).click()
    const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\n')
    expect(new Set(lines.map(line => JSON.parse(line).class))).toEqual(new Set(['bot']))
    expect(lines.length).toBe(range.bots)
    expect(incidents).toEqual([])
  })

  it('the overview lists the most visited links of the period, and leads to them', async () => {
    const { browser, origin, pool } = dashboard
    const other = await shorten(origin)
    await recordVisits(pool, other, [{ ...visitsAt([Date.now()])[0], userAgent: 'curl/8.14.1' } as PastVisit])
    const { page, incidents } = await openPage(browser, `${origin}/?view=overview&tz=UTC&period=week`)
    const from = new Date(Date.now() - 6 * 24 * hourMs).toISOString().slice(0, 10)
    const top = page.getByRole('table', { name: 'Top links', exact: true })
    await top.waitFor()
    const listed = await ask<{ slug: string; visits: number; humans: number }[]>(
      `${origin}/stats?from=${from}&sort=humans`,
    )
    const rows = await top.locator('tbody tr').all()
    const shown = await Promise.all(rows.map(row => row.locator('th, td').allTextContents()))
    expect(shown).toEqual(
      listed
        .filter(link => link.humans > 0)
        .map(link => [`/${link.slug}`, link.humans.toLocaleString('en'), link.visits.toLocaleString('en')]),
    )
    // Nobody but a bot followed it.
    expect(listed.map(link => link.slug)).toContain(other)
    await top.getByRole('link', { name: `/${slug}` }).click()
    await page.waitForURL(`**/?link=${slug}*`)
    expect(incidents).toEqual([])
  })

  it('a range that is too long for filters gets an explanation and a way out', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, 'about:blank')
    const earliest = new Date(Date.now() - 3 * 24 * hourMs)
    await page.route('**/filtered?*', route =>
      route.fulfill({
        status: 422,
        contentType: 'application/problem+json',
        body: JSON.stringify({ detail: 'The range is too long for filters.', earliest }),
      }),
    )
    await page.goto(`${origin}/?link=${slug}&country=DE`)
    // The API's own words, and when it says them, are tested with the API.
    await page.getByRole('alert').getByText('The range is too long for filters.').waitFor()
    await page.getByRole('button', { name: /^Show from/ }).click()
    await page.waitForURL('**/?*period=custom*')
    await page.getByRole('button', { name: 'Remove filters' }).click()
    await page.getByRole('img', { name: /visits by humans/ }).waitFor()
  })

  it('values are text, whatever visitors send', async () => {
    const { browser, origin, pool } = dashboard
    const hostile = await shorten(origin)
    const now = Date.now()
    const visits = ['<img src=x onerror=alert(1)>', '"><script>alert(2)</script>', 'javascript:alert(3)'].map(
      text => ({
        visitedAt: now,
        referrer: `https://${text.replace(/[^a-z]/g, '')}.example/${text}`,
        userAgent: `${text} Mozilla/5.0 ${text}/1.0`,
        language: text,
      }),
    )
    await recordVisits(pool, hostile, visits)
    const { page, incidents } = await openPage(browser, `${origin}/?link=${hostile}&bots=show&period=week`)
    await page.locator('.breakdown').first().waitFor()
    expect(await page.locator('main img, main script, main [onerror]').count()).toBe(0)
    const named = encodeURIComponent('<img src=x onerror=alert(4)>')
    await page.goto(`${origin}/?link=${hostile}&browser=${named}&referrer=${named}`)
    await page.getByRole('button', { name: 'Remove the filter Browser: <img' }).waitFor()
    expect(await page.locator('main img, main [onerror]').count()).toBe(0)
    expect(incidents).toEqual([])
  })
})

const titles = {
  Channel: 'channel',
  Referrer: 'referrer',
  Country: 'country',
  Browser: 'browser',
  'Operating system': 'os',
  Device: 'device',
  Language: 'language',
}

/** Shown beside those where bots are. */
const botTitles = { 'Kind of bot': 'bot_group', Bot: 'bot' }

async function figure(page: Page, name: string): Promise<number> {
  return Number((await page.getByTestId(name).textContent())?.replaceAll(',', ''))
}

/** The visits of each value, in their order. */
async function table(page: Page, title: string): Promise<number[]> {
  const cells = page.getByRole('table', { name: title, exact: true }).locator('td:nth-child(2)')
  return (await cells.allTextContents()).map(text => Number(text.replaceAll(',', '')))
}
