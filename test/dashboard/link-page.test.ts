import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten, startWorker, visit } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage } from './open-page.ts'
import { firefox, recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const hourMs = 3_600_000

interface Stats {
  series: { humans: number }[]
  previous?: Stats
}

describe.skipIf(!browserAvailable())('the page of a link', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
  }, 120_000)

  it('distinguishes no visits from visits that are still being counted', async () => {
    const { browser, origin, installation } = dashboard
    const slug = await shorten(origin)
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}`)
    await page.getByText('no visits yet').waitFor()
    await page.locator('.status').getByText('live', { exact: true }).waitFor()

    await visit(origin, slug, { 'user-agent': firefox })
    await page.getByText('Counting…').waitFor()
    await page.getByText('1 visit being counted').waitFor()
    expect(await page.getByText('no visits yet').count()).toBe(0)

    await startWorker(installation)
    await page.getByTestId('visits').getByText('1', { exact: true }).waitFor()
    await page.locator('.status').getByText('live', { exact: true }).waitFor()
    expect(incidents).toEqual([])
  })

  it('shows the API’s numbers for the keys D W M Y, as chart, words and table', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const now = Date.now()
    const times = Array.from({ length: 300 }, (_, i) => now - i * i * 90_000)
    await recordVisits(pool, slug, visitsAt(times))
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&show=table`)
    await page.getByTestId('visits').getByText('300', { exact: true }).waitFor()
    const periods = [
      { key: 'd', interval: 'hour', count: 24, words: 'last 24 hours' },
      { key: 'w', interval: 'day', count: 7, words: 'last 7 days' },
      { key: 'y', interval: 'month', count: 12, words: 'last 12 months' },
      { key: 'm', interval: 'day', count: 30, words: 'last 30 days' },
    ]
    for (const { key, interval, count, words } of periods) {
      await page.keyboard.press(key)
      await page.locator('figcaption').filter({ hasText: words }).waitFor()
      const shown = await tableValues(page)
      expect(shown.length).toBe(count)
      const from = new Date(now - 370 * 24 * hourMs)
      from.setUTCDate(from.getUTCDate() + 6)
      const query = `?interval=${interval}&tz=Europe/Berlin${interval === 'month' ? `&from=${from.toISOString()}` : ''}`
      const { series } = await ask<Stats>(`${origin}/stats/${slug}${query}`)
      expect(shown).toEqual(series.slice(-count).map(bucket => bucket.humans))
      const sum = shown.reduce((total, visits) => total + visits, 0)
      expect(await page.locator('figcaption').textContent()).toContain(
        `${sum} visits by humans in the ${words}`,
      )
      expect(await page.getByTestId('period').textContent()).toBe(String(sum))
    }
    await page.getByRole('button', { name: 'Show as chart' }).click()
    const chart = page.getByRole('img', { name: 'visits by humans in the last 30 days' })
    await chart.locator('.area').waitFor()
    await chart.hover()
    await page.locator('.time-chart-hint').waitFor()
    expect(incidents).toEqual([])
  })

  it('compares with the previous period, until X is pressed', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const now = Date.now()
    const days = [1, 1, 2, 3, 8, 8, 9, 10, 11]
    await recordVisits(pool, slug, visitsAt(days.map(day => now - day * 24 * hourMs)))
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&period=week&show=table`)
    const caption = page
      .locator('figcaption')
      .filter({ hasText: '20 % less than in the period before up to the same time (5)' })
    await caption.waitFor()
    expect(await page.locator('.change').first().textContent()).toContain('20 %')
    const stats = await ask<Stats>(
      `${origin}/stats/${slug}?interval=day&from=${dateInBerlin(now - 6 * 24 * hourMs)}&tz=Europe/Berlin&compare=previous`,
    )
    const before = page.locator('.series-table td.muted')
    const shown = (await before.allTextContents()).map(Number).reverse()
    expect(shown).toEqual(stats.previous?.series.map(bucket => bucket.humans))
    await page.keyboard.press('x')
    await caption.waitFor({ state: 'detached' })
    expect(await before.count()).toBe(0)
    expect(page.url()).toContain('compare=off')
    await page.getByLabel('Compare with').selectOption('the period before')
    await caption.waitFor()
    expect(page.url()).not.toContain('compare')
    expect(incidents).toEqual([])
  })

  it('shows minutes where the API has them, and custom periods', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const now = Date.now()
    await recordVisits(pool, slug, visitsAt([now - 2 * 60_000, now - 2 * 60_000, now - 40 * 24 * hourMs]))
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&show=table`)
    await page.getByLabel('Period', { exact: true }).selectOption('Last 60 minutes')
    await page
      .locator('figcaption')
      .filter({ hasText: '2 visits by humans in the last 60 minutes' })
      .waitFor()
    await waitUntil(async () => (await tableValues(page)).length === 60, { what: 'an hour of minutes' })
    await page.getByLabel('Period', { exact: true }).selectOption('Last 24 hours')
    await page.getByLabel('Interval').selectOption('Minutes')
    await waitUntil(async () => (await tableValues(page)).length === 24 * 60, { what: 'a day of minutes' })
    await page.getByLabel('Period', { exact: true }).selectOption('Last 12 months')
    expect(await page.getByLabel('Interval').locator('option').allTextContents()).toEqual([
      'Days',
      'Weeks',
      'Months',
    ])

    await page.getByLabel('Period', { exact: true }).selectOption('Dates…')
    const [from, to] = [41, 39].map(days => dateInBerlin(now - days * 24 * hourMs)) as [string, string]
    await page.getByLabel('From').fill(from)
    await page.getByLabel('to', { exact: true }).fill(to)
    await page.waitForURL(`**/?link=${slug}&period=custom&from=${from}&to=${to}&show=table`)
    await page.locator('figcaption').filter({ hasText: '1 visit by humans from' }).waitFor()
    await waitUntil(async () => String(await tableValues(page)) === '0,1,0', { what: 'three days' })
    expect(await page.getByText('so far').count()).toBe(0)
    expect(incidents).toEqual([])
  })

  it('shows visits by humans, says what else was counted, and includes it on request', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const at = Date.now() - 2 * 24 * hourMs
    const curl = { visitedAt: at, referrer: undefined, userAgent: 'curl/8.14.1' }
    await recordVisits(pool, slug, [curl, curl, curl])
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}`)
    const period = page.getByTestId('period')
    const total = page.getByTestId('visits')
    const choose = (label: string) => page.getByRole('radio', { name: label }).check({ force: true })

    await page.getByText('All 3 visits of this time are by programs').waitFor()
    await page.getByText('Since no humans came, they are shown.').waitFor()
    await period.getByText('3', { exact: true }).waitFor()
    expect(await total.textContent()).toBe('3')
    expect(await page.getByRole('radio', { name: 'With bots' }).isChecked()).toBe(true)
    await choose('Humans')
    await period.getByText('0', { exact: true }).waitFor()
    expect(page.url()).toContain('bots=hide')
    await page.getByRole('button', { name: 'Show them' }).click()
    await period.getByText('3', { exact: true }).waitFor()
    expect(page.url()).not.toContain('bots=')

    await recordVisits(pool, slug, visitsAt([at]))
    await period.getByText('1', { exact: true }).waitFor()
    await page.locator('.figure').first().getByText('and 3 bot visits').waitFor()
    await page.getByText('by programs').waitFor({ state: 'detached' })
    await choose('With bots')
    await period.getByText('4', { exact: true }).waitFor()
    expect(page.url()).toContain('bots=show')
    await choose('Humans')
    await period.getByText('1', { exact: true }).waitFor()
    expect(page.url()).not.toContain('bots=')
    expect(incidents).toEqual([])
  })

  it('leads with the same number and word as the lists do', async () => {
    const { browser, origin, pool } = dashboard
    const at = Date.now() - 2 * 24 * hourMs
    const curl = { visitedAt: at, referrer: undefined, userAgent: 'curl/8.14.1' }
    const links = [
      { slug: 'lead-humans', visits: visitsAt([at, at, at]), shown: '3', list: '3 visits' },
      {
        slug: 'lead-mixed',
        visits: [...visitsAt([at, at]), ...Array(9).fill(curl)],
        shown: '2',
        list: '2 visits',
      },
      { slug: 'lead-bots', visits: Array(8).fill(curl), shown: '8', list: '8 visits' },
    ]
    const notes: Record<string, string> = { 'lead-mixed': 'and 9 by bots', 'lead-bots': 'by bots' }
    for (const { slug, visits } of links) {
      await shorten(origin, { slug })
      await recordVisits(pool, slug, visits)
    }
    const { page, incidents } = await openPage(browser, origin)
    for (const sort of ['', '&sort=humans', '&sort=last_visit&window=7d']) {
      await page.goto(`${origin}/?search=lead-${sort}`)
      for (const { slug, list } of links) {
        const row = page.locator('.link-rows > li').filter({ hasText: slug })
        await row.getByText(list, { exact: true }).waitFor()
        if (notes[slug] !== undefined) await row.getByText(notes[slug]).waitFor()
      }
    }
    await page.goto(`${origin}/?search=lead-&sort=humans`)
    await page.locator('.slug').nth(2).waitFor()
    expect(await page.locator('.slug').allTextContents()).toEqual([
      '/lead-humans',
      '/lead-mixed',
      '/lead-bots',
    ])
    for (const { slug, shown } of links) {
      await page.goto(`${origin}/?link=${slug}`)
      await page.getByTestId('visits').getByText(shown, { exact: true }).waitFor()
      await page.getByTestId('period').getByText(shown, { exact: true }).waitFor()
    }
    expect(incidents).toEqual([])
  })

  it('names the browser, system or bot of a visit, and unfolds the user agent', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const agents = [
      { sent: firefox, shown: 'Firefox 148 on Linux' },
      {
        sent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
        shown: 'Safari 17.5 on iOS 17.5',
      },
      {
        sent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
        shown: 'Googlebot',
      },
    ]
    const now = Date.now()
    const visits = agents.map(({ sent }, i) => ({ visitedAt: now - i, referrer: undefined, userAgent: sent }))
    await recordVisits(pool, slug, visits)
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}`)
    const rows = page.locator('.recent tbody tr')
    for (const { sent, shown } of agents) {
      const row = rows.filter({ hasText: shown })
      const raw = row.getByText(sent)
      await row.getByText(shown, { exact: true }).waitFor()
      expect(await raw.isVisible()).toBe(false)
      await row.getByText(shown, { exact: true }).press('Enter')
      await raw.waitFor()
    }
    await recordVisits(pool, slug, visitsAt([now + 1]))
    await waitUntil(async () => (await rows.count()) === 4, { what: 'the next visit is listed' })
    await rows
      .filter({ hasText: 'Googlebot' })
      .getByText(agents[2]?.sent ?? '')
      .waitFor()
    expect(incidents).toEqual([])
  })

  it('pages to older visits, and back', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    const now = Date.now()
    const visits = Array.from({ length: 45 }, (_, i) => ({
      visitedAt: now - i * hourMs,
      referrer: `https://referrer.example/${i}`,
      userAgent: firefox,
    }))
    await recordVisits(pool, slug, visits)
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}`)
    const cells = page.locator('.recent tbody .referrer')
    await cells.filter({ hasText: /\/19$/ }).waitFor()
    expect(await cells.count()).toBe(20)
    await page.getByRole('link', { name: 'Older' }).click()
    await cells.filter({ hasText: /\/20$/ }).waitFor()
    await page.getByRole('link', { name: 'Older' }).click()
    await cells.filter({ hasText: /\/44$/ }).waitFor()
    expect(await cells.count()).toBe(5)
    expect(await page.getByRole('link', { name: 'Older' }).count()).toBe(0)
    await page.reload()
    await cells.filter({ hasText: /\/44$/ }).waitFor()
    await page.getByRole('link', { name: 'Newest' }).click()
    await cells.filter({ hasText: /\/0$/ }).waitFor()
    expect(incidents).toEqual([])
  })

  it('restores link, period, zone and table from the address', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin)
    // 00:30 in Kathmandu is still the day before in Berlin.
    const midnight = Math.floor((Date.now() + 5.75 * hourMs) / (24 * hourMs)) * 24 * hourMs - 5.75 * hourMs
    await recordVisits(pool, slug, visitsAt([midnight - 24 * hourMs + hourMs / 2]))
    const { page } = await openPage(browser, `${origin}/?link=${slug}`)
    await page.keyboard.press('w')
    await page.getByRole('button', { name: 'Show as table' }).click()
    await page.getByLabel('Time zone').selectOption('Asia/Kathmandu')
    const rows = page.locator('.series-table tbody tr')
    await rows.nth(1).getByText('1', { exact: true }).waitFor()
    const address = new URL(page.url())
    expect(Object.fromEntries(address.searchParams)).toEqual({
      link: slug,
      period: 'week',
      tz: 'Asia/Kathmandu',
      show: 'table',
    })

    const { page: other, incidents } = await openPage(browser, address.href)
    await other.locator('.series-table tbody tr').nth(1).getByText('1', { exact: true }).waitFor()
    expect(await other.getByLabel('Time zone').inputValue()).toBe('Asia/Kathmandu')
    expect(await other.getByLabel('Period', { exact: true }).inputValue()).toBe('week')
    expect(await tableValues(other)).toEqual(await tableValues(page))
    await page.goBack()
    await page.waitForURL(`${origin}/?link=${slug}&period=week&show=table`)
    expect(incidents).toEqual([])
  })

  it('ignores nonsense in the address', async () => {
    const { browser, origin } = dashboard
    const slug = await shorten(origin)
    const nonsense = `?link=${slug}&period=century&tz=Moon/Base&window=x&after=x&show=x&interval=x&before=x&country=x&class=x&from=x&sort=x&more=x&bots=x`
    const { page, incidents } = await openPage(browser, `${origin}/${nonsense}`)
    await page.locator('figcaption').getByText('No visits by humans in the last 30 days.').waitFor()
    expect(await page.getByLabel('Time zone').inputValue()).toBe('')
    expect(incidents).toEqual([])
  })

  it('says so when a link does not exist, and offers to create it', async () => {
    const { page, incidents } = await openPage(dashboard.browser, `${dashboard.origin}/?link=nobody-has-it`)
    await page.getByText('There is no link with this name.').waitFor()
    await page.getByRole('button', { name: 'Create the link /nobody-has-it' }).click()
    await page.getByLabel('Long URL').and(page.locator(':focus')).fill('example.com/it')
    expect(await page.getByLabel('Short name').inputValue()).toBe('nobody-has-it')
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Your new link' }).waitFor()
    expect(await ask(`${dashboard.origin}/api/links/nobody-has-it`)).toMatchObject({
      long_url: 'https://example.com/it',
    })
    expect(incidents).toEqual([])
  })

  it('warns when the statistics are more than a minute behind', async () => {
    const { browser, origin } = dashboard
    const slug = await shorten(origin)
    const { page } = await openPage(browser, 'about:blank')
    await page.route('**/live', route => route.abort())
    await page.route(`**/stats/${slug}?*`, async route => {
      const response = await route.fetch()
      const asOf = new Date(Date.now() - 5.5 * 60_000).toISOString()
      await route.fulfill({ response, headers: { ...response.headers(), 'x-stats-as-of': asOf } })
    })
    await page.goto(`${origin}/?link=${slug}`)
    await page.getByText('The statistics are 5 minutes behind.').waitFor()
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.getByText('The statistics are').waitFor({ state: 'detached' })
  })

  it('shows referrers and user agents as text, whatever they contain', async () => {
    const { browser, origin, pool } = dashboard
    const slug = await shorten(origin, { long_url: 'https://example.com/?<script>alert(0)</script>' })
    const hostile = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(2)>',
      'javascript:alert(3)',
      ' javascript:alert(4)',
      'data:text/html,<script>alert(5)</script>',
      'https://evil.test/"onmouseover="alert(6)',
      'https://evil.test/\u202Emoc.elgoog//:sptth',
      '{{constructor.constructor("alert(7)")()}}',
      '<style>*{display:none}</style><link rel=stylesheet href=//evil.test/x.css>',
      'a'.repeat(512),
    ]
    const visits = hostile.map((text, i) => ({
      visitedAt: Date.now() - i * 1_000,
      referrer: text,
      userAgent: text,
    }))
    await recordVisits(pool, slug, visits)
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}`)
    const table = page.locator('table.recent')
    await table.waitFor()
    for (const text of hostile)
      expect(await table.locator('.user-agent').filter({ hasText: text }).count()).toBe(1)
    expect(await page.locator('main script, main img, main style, main link, main [onerror]').count()).toBe(0)

    const links = await table
      .getByRole('link')
      .evaluateAll(all =>
        all.map(link => ({ href: link.getAttribute('href'), rel: link.getAttribute('rel') })),
      )
    expect(links.map(link => link.href)).toEqual(hostile.slice(5, 7))
    for (const { rel } of links)
      expect(rel?.split(' ')).toEqual(expect.arrayContaining(['noreferrer', 'noopener']))
    await page.getByRole('heading', { level: 1 }).hover()
    await page.waitForTimeout(1_000)
    expect(incidents).toEqual([])
  })

  it('does not run script from the address', async () => {
    const { browser, origin } = dashboard
    const text = '<img src=x onerror=alert(1)>'
    const { page, incidents } = await openPage(browser, `${origin}/?link=${encodeURIComponent(text)}`)
    await page.getByRole('heading', { level: 1, name: text }).waitFor()
    await page.getByText('There is no link with this name.').waitFor()
    expect(await page.locator('main img').count()).toBe(0)
    expect(incidents).toEqual([])
  })
})

/** The table's numbers, the oldest first. */
async function tableValues(page: Page): Promise<number[]> {
  const texts = await page.locator('.series-table td.value').allTextContents()
  return texts.map(text => Number(text.replaceAll(',', ''))).reverse()
}

function dateInBerlin(time: number): string {
  return new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Berlin' }).format(time)
}
