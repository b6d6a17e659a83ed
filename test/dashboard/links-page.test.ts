import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten, visit } from '../support/hopcount.ts'
import { nightlyTest } from '../support/nightly.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage, waitForFocus } from './open-page.ts'
import { firefox, recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const hourMs = 3_600_000
const byPerson = { 'user-agent': firefox }

describe.skipIf(!browserAvailable())('the list of links', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, 120_000)

  it('shows the form and the same as a curl command while there are no links', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    await page.getByRole('heading', { name: 'No links yet' }).waitFor()
    expect(await page.getByLabel('Long URL').isVisible()).toBe(true)
    expect(await page.locator('code').textContent()).toContain(`curl -s ${dashboard.origin}/shorten`)
    expect(incidents).toEqual([])
  })

  it('a link is created and followed, and its count rises on the page', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, origin)
    await page.getByLabel('Long URL').fill('example.com/a/long/way')
    await page.getByLabel('Short name').fill('tour')
    await page.getByRole('button', { name: 'Shorten' }).click()

    const made = page.getByRole('region', { name: 'Your new link' })
    await made.getByRole('link', { name: `${origin}/tour` }).waitFor()
    expect(await made.textContent()).toContain('https://example.com/a/long/way')
    await made.getByRole('img', { name: `QR code of ${origin}/tour` }).waitFor()
    expect(await page.getByLabel('Long URL').inputValue()).toBe('')

    const row = page.getByRole('listitem').filter({ hasText: '/tour' })
    expect(await visit(origin, 'tour', byPerson)).toBe('https://example.com/a/long/way')
    await row.getByText('1 visit', { exact: true }).waitFor()
    for (let i = 0; i < 4; i++) await visit(origin, 'tour', byPerson)
    await row.getByText('5 visits', { exact: true }).waitFor()

    await row.getByRole('link', { name: '/tour' }).click()
    await page.getByRole('heading', { level: 1, name: '/tour' }).waitFor()
    await page.getByTestId('visits').getByText('5', { exact: true }).waitFor()
    await visit(origin, 'tour', byPerson)
    await page.getByTestId('visits').getByText('6', { exact: true }).waitFor()
    expect(incidents).toEqual([])
  })

  it('shows the server’s validation errors at their field, which gets the focus', async () => {
    const { browser, origin } = dashboard
    await shorten(origin, { slug: 'taken' })
    const { page, incidents } = await openPage(browser, origin)
    const submit = page.getByRole('button', { name: 'Shorten' })
    await page.getByText('Title, tags and expiry').click()
    const refusals = [
      { field: 'Long URL', text: '', says: 'Please enter the URL' },
      { field: 'Long URL', text: 'ftp://example.com/', says: 'The long URL must begin with http' },
      { field: 'Long URL', text: 'http://127.0.0.1/', says: 'The long URL must point to a public host' },
      { field: 'Short name', text: 'no spaces', says: 'The short name must be 1 to 64' },
      { field: 'Short name', text: 'stats', says: 'The short name is a reserved word' },
      { field: 'Short name', text: 'taken', says: 'This short name is taken' },
      { field: 'Expires', text: '2020-01-01T00:00', says: 'The expiry must be in the future' },
    ]
    for (const { field, text, says } of refusals) {
      if (field !== 'Long URL') await page.getByLabel('Long URL').fill('https://example.com/')
      await page.getByLabel(field).fill(text)
      await submit.click()
      await page.getByText(says).waitFor()
      const input = page.getByLabel(field)
      await waitForFocus(input)
      expect(await input.getAttribute('aria-invalid')).toBe('true')
      const described = await input.getAttribute('aria-describedby')
      expect(await page.locator(`#${described}`).textContent()).toContain(says)
      await page.getByLabel(field).fill('')
    }
    expect(incidents).toEqual([])
  })

  it('reads an expiry in the user’s time zone', async () => {
    const { page } = await openPage(dashboard.browser, dashboard.origin)
    await page.getByLabel('Long URL').fill('https://example.com/')
    await page.getByText('Title, tags and expiry').click()
    await page.getByLabel('Expires').fill('2099-07-01T12:00')
    const sent = page.waitForRequest('**/api/links')
    await page.getByRole('button', { name: 'Shorten' }).click()
    expect((await sent).postDataJSON()).toMatchObject({ expires_at: '2099-07-01T10:00:00.000Z' })
    await page.getByText('until 1 Jul 2099, 12:00').waitFor()
  })

  it('windows and pages are part of the address, and are restored from it', async () => {
    const { browser, origin, pool } = dashboard
    const now = Date.now()
    for (let n = 1; n <= 26; n++) {
      await shorten(origin, { slug: `page-${n}` })
      const visits = Array.from({ length: n }, (_, i) => now - 3 * 24 * hourMs - i)
      await recordVisits(pool, `page-${n}`, visitsAt(visits))
    }
    const { page, incidents } = await openPage(browser, `${origin}/?sort=humans`)
    const rows = page.locator('.link-rows > li')
    const shows = (count: string) => rows.filter({ hasText: '/page-26' }).getByText(count).waitFor()
    await shows('26 visits')
    expect(await rows.count()).toBe(25)

    await page.getByRole('radio', { name: '24 hours' }).check({ force: true })
    await shows('0 visits')
    expect(page.url()).toBe(`${origin}/?window=24h`)
    await page.getByRole('radio', { name: '7 days' }).check({ force: true })
    await shows('26 visits')

    await page.getByRole('link', { name: 'Next', exact: true }).click()
    await page.getByRole('link', { name: '/page-1', exact: true }).waitFor()
    expect(await rows.filter({ hasText: '/page-26' }).count()).toBe(0)
    const second = new URL(page.url())
    expect(Object.fromEntries(second.searchParams)).toMatchObject({ window: '7d', after: expect.any(String) })

    const { page: other } = await openPage(browser, second.href)
    await other.getByRole('link', { name: '/page-1', exact: true }).waitFor()
    expect(await other.getByRole('radio', { name: '7 days' }).isChecked()).toBe(true)
    await other.getByRole('link', { name: 'Previous', exact: true }).click()
    await other.waitForURL(`${origin}/?window=7d`)
    await other.getByRole('link', { name: '/page-26', exact: true }).waitFor()

    await page.goBack()
    await shows('26 visits')
    expect(incidents).toEqual([])
  })

  it('finds links by any part of their name or long URL while typing, and by their short URL', async () => {
    const { browser, origin } = dashboard
    await shorten(origin, { slug: 'autumn-letter', long_url: 'https://example.com/autumn?a=1' })
    await shorten(origin, { slug: 'autumn-poster' })
    const { page, incidents } = await openPage(browser, origin)
    const rows = page.locator('.link-rows > li')
    await page.keyboard.press('/')
    await page.keyboard.type('autumn')
    await waitUntil(async () => (await rows.count()) === 2, { what: 'both links are found' })
    await rows.filter({ hasText: '/autumn-letter' }).getByText('no visits yet').waitFor()
    expect(page.url()).toBe(`${origin}/?search=autumn`)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Remove the search autumn' }).click()
    await page.waitForURL(`${origin}/`)
    expect(await page.getByLabel('Search links').inputValue()).toBe('')

    await page.getByLabel('Search links').fill('winter')
    await page.getByText('No link matches.').waitFor()
    await page.getByLabel('Search links').fill('https://example.com/autumn?a=1')
    await waitUntil(async () => (await rows.count()) === 1, { what: 'the link of this URL is found' })
    await page.getByLabel('Search links').press('Enter')
    await page.getByRole('heading', { level: 1, name: '/autumn-letter' }).waitFor()

    await page.getByLabel('Search links').fill(`${origin}/autumn-poster`)
    await page.getByLabel('Search links').press('Enter')
    await page.getByRole('heading', { level: 1, name: '/autumn-poster' }).waitFor()
    await page.getByLabel('Search links').fill('autu')
    await page.getByLabel('Search links').press('Enter')
    await page.waitForURL(`${origin}/?search=autu`)
    await waitUntil(async () => (await rows.count()) === 2, { what: 'both links are listed' })
    expect(incidents).toEqual([])
  })

  it('sorts by visits, unique visitors, latest visit and growth, as the API does', async () => {
    const { browser, origin, pool } = dashboard
    const now = Date.now()
    for (const [slug, days] of [
      ['falling', [1, 9, 9, 9]],
      ['rising', [1, 2, 3, 4, 5]],
    ] as const) {
      await shorten(origin, { slug })
      await recordVisits(pool, slug, visitsAt(days.map(day => now - day * 24 * hourMs)))
    }
    const { page, incidents } = await openPage(browser, origin)
    const rows = page.locator('.link-rows > li')
    await rows.first().waitFor()
    for (const [title, sort] of [
      ['Most unique visitors', 'uniques'],
      ['Latest visit', 'last_visit'],
      ['Growth', 'growth'],
    ] as const) {
      const url = `${origin}/api/links?limit=25&sort=${sort}&window=${sort === 'growth' ? '7d' : 'all'}`
      const links = await ask<{ slug: string; growth?: number }[]>(url)
      await page.getByLabel('Sort by').selectOption(title)
      await page.waitForURL(`**/?*sort=${sort}`)
      const slugs = links.map(({ slug }) => `/${slug}`)
      const shown = () => page.locator('.slug').allTextContents()
      await waitUntil(async () => (await shown()).join() === slugs.join(), { what: `sorted by ${sort}` })
    }
    const { page: found } = await openPage(browser, `${origin}/?search=rising&sort=growth&window=7d`)
    await found.locator('.link-rows > li').getByText('+5 visits').waitFor()
    await page.getByRole('radio', { name: 'All time' }).check({ force: true })
    await page.waitForURL(`${origin}/?sort=humans`)
    expect(incidents).toEqual([])
  })

  it('shows a link’s last seven days, also as text, copies its address and shows its QR code', async () => {
    const { browser, origin, pool } = dashboard
    await shorten(origin, { slug: 'sparkling' })
    const now = Date.now()
    await recordVisits(pool, 'sparkling', visitsAt([0, 1, 1, 3].map(day => now - day * 24 * hourMs)))
    const { page, incidents } = await openPage(browser, `${origin}/?sort=visits&search=sparkling`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const row = page.locator('.link-rows > li')
    await row.getByRole('img', { name: 'last 7 days: 0, 0, 0, 1, 0, 2, 1' }).waitFor()
    await row.getByRole('button', { name: 'Copy the short link sparkling' }).click()
    await row.getByText('Copied').waitFor()
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(`${origin}/sparkling`)
    await row.getByRole('button', { name: 'QR code of sparkling' }).click()
    const dialog = page.getByRole('dialog', { name: 'QR code of sparkling' })
    await dialog.getByRole('img', { name: `QR code of ${origin}/sparkling` }).waitFor()
    const download = page.waitForEvent('download')
    await dialog.getByRole('button', { name: 'Download SVG' }).click()
    expect((await download).suggestedFilename()).toBe('sparkling.svg')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(incidents).toEqual([])
  })

  it('lists requested names that aren’t links, and creates them', async () => {
    const { browser, origin } = dashboard
    for (let i = 0; i < 3; i++) expect((await fetch(`${origin}/misprinted`)).status).toBe(404)
    // The list is read again rarely.
    await waitUntil(
      async () => (await (await fetch(`${origin}/stats/orphans`)).text()).includes('misprinted'),
      {
        what: 'the requests to be counted',
      },
    )
    const { page, incidents } = await openPage(browser, origin)
    const list = page.getByRole('region', { name: 'Requested, but not a link' })
    await list.getByText('/misprinted').waitFor()
    await list.getByText('3 requests').waitFor()
    await list.getByRole('button', { name: 'Create it: the link misprinted' }).click()
    await waitForFocus(page.getByLabel('Long URL'))
    expect(await page.getByLabel('Short name').inputValue()).toBe('misprinted')
    await page.keyboard.type('https://example.com/')
    await page.keyboard.press('Enter')
    await page
      .getByRole('region', { name: 'Your new link' })
      .getByRole('link', { name: `${origin}/misprinted` })
      .waitFor()
    expect(incidents).toEqual([])
  })

  // Polls are some ten seconds apart.
  nightlyTest(
    'polls, gets 304 when nothing has changed, and pauses while the tab is hidden',
    async () => {
      const { page } = await openPage(dashboard.browser, `${dashboard.origin}/?sort=visits`)
      const statuses: number[] = []
      page.on('response', response => {
        if (response.url().includes('/api/links')) statuses.push(response.status())
      })
      await waitUntil(() => statuses.filter(status => status === 304).length >= 2, {
        what: 'two answers of 304',
      })

      await showOrHide(page, true)
      await page.waitForTimeout(500)
      const before = statuses.length
      await page.waitForTimeout(25_000)
      expect(statuses.length).toBe(before)

      await showOrHide(page, false)
      await waitUntil(() => statuses.length > before, { what: 'a question once the page is seen again' })
    },
    120_000,
  )

  nightlyTest('says when the server can’t be reached, and recovers by itself', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, `${origin}/?sort=visits`)
    await page.getByRole('listitem').first().waitFor()
    await page.route('**/api/links?*', route => route.abort())
    await page.getByText('The server can’t be reached. Trying again…').waitFor()
    expect(await page.getByRole('listitem').count()).toBeGreaterThan(0)
    await page.unroute('**/api/links?*')
    await page.getByText('Trying again…').waitFor({ state: 'detached' })
  })
})

/** What a browser does when its tab goes to the background: a headless one has no background. */
async function showOrHide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))`)
}
