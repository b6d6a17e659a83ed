import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten, visit } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { openPage, waitForFocus } from './open-page.ts'
import { recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const hourMs = 3_600_000

describe.skipIf(!browserAvailable())('the list of links', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard()
  }, 120_000)

  it('without a visit shows the form and how to do the same with curl', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    await page.getByText('No visits yet.').waitFor()
    expect(await page.getByLabel('Long URL').isVisible()).toBe(true)
    expect(await page.locator('code').textContent()).toContain(`curl -s ${dashboard.origin}/shorten`)
    expect(incidents).toEqual([])
  })

  it('a link is made, followed, and its count rises on the page by itself', async () => {
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
    expect(await visit(origin, 'tour')).toBe('https://example.com/a/long/way')
    await row.getByText('1 visit', { exact: true }).waitFor()
    for (let i = 0; i < 4; i++) await visit(origin, 'tour')
    await row.getByText('5 visits', { exact: true }).waitFor()

    await row.getByRole('link', { name: '/tour' }).click()
    await page.getByRole('heading', { level: 1, name: '/tour' }).waitFor()
    await page.getByTestId('visits').getByText('5', { exact: true }).waitFor()
    await visit(origin, 'tour')
    await page.getByTestId('visits').getByText('6', { exact: true }).waitFor()
    expect(incidents).toEqual([])
  })

  it('what the server refuses is said at the field it is about, which gets the focus', async () => {
    const { browser, origin } = dashboard
    await shorten(origin, { slug: 'taken' })
    const { page, incidents } = await openPage(browser, origin)
    const submit = page.getByRole('button', { name: 'Shorten' })
    const refusals = [
      { field: 'Long URL', text: '', says: 'Please enter the URL' },
      { field: 'Long URL', text: 'ftp://example.com/', says: 'The long URL must begin with http' },
      { field: 'Long URL', text: 'http://127.0.0.1/', says: 'The long URL must point to a public host' },
      { field: 'Short name', text: 'no spaces', says: 'The short name must be 1 to 64' },
      { field: 'Short name', text: 'stats', says: 'The short name is a word' },
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

  it('an expiry is meant in the reader’s zone', async () => {
    const { page } = await openPage(dashboard.browser, dashboard.origin)
    await page.getByLabel('Long URL').fill('https://example.com/')
    await page.getByLabel('Expires').fill('2099-07-01T12:00')
    const sent = page.waitForRequest('**/shorten')
    await page.getByRole('button', { name: 'Shorten' }).click()
    expect((await sent).postDataJSON()).toMatchObject({ expires_at: '2099-07-01T10:00:00.000Z' })
    await page.getByText('until 1 Jul 2099, 12:00').waitFor()
  })

  it('windows and pages stand in the address, and come back with it', async () => {
    const { browser, origin, pool } = dashboard
    const now = Date.now()
    for (let n = 1; n <= 12; n++) {
      await shorten(origin, { slug: `page-${n}` })
      const visits = Array.from({ length: 100 + n }, (_, i) => now - 3 * 24 * hourMs - i)
      await recordVisits(pool, `page-${n}`, visitsAt(visits))
    }
    const { page, incidents } = await openPage(browser, origin)
    const rows = page.getByRole('listitem')
    await rows.filter({ hasText: '/page-12' }).getByText('112 visits').waitFor()
    expect(await rows.count()).toBe(10)

    await page.getByRole('radio', { name: '24 hours' }).check({ force: true })
    await rows.filter({ hasText: '/page-12' }).waitFor({ state: 'detached' })
    expect(page.url()).toBe(`${origin}/?window=24h`)
    await page.getByRole('radio', { name: '7 days' }).check({ force: true })
    await rows.filter({ hasText: '/page-12' }).waitFor()

    await page.getByRole('link', { name: 'Next page' }).click()
    await page.getByRole('link', { name: '/page-2', exact: true }).waitFor()
    expect(await rows.filter({ hasText: '/page-12' }).count()).toBe(0)
    const second = new URL(page.url())
    expect(Object.fromEntries(second.searchParams)).toMatchObject({ window: '7d', after: expect.any(String) })

    const { page: other } = await openPage(browser, second.href)
    await other.getByRole('link', { name: '/page-2', exact: true }).waitFor()
    expect(await other.getByRole('radio', { name: '7 days' }).isChecked()).toBe(true)

    await page.goBack()
    await rows.filter({ hasText: '/page-12' }).waitFor()
    expect(incidents).toEqual([])
  })

  it('asks every two seconds, gets 304 for what has not changed, and is silent while nobody looks', async () => {
    const { page } = await openPage(dashboard.browser, dashboard.origin)
    const statuses: number[] = []
    page.on('response', response => {
      if (response.url().includes('/stats')) statuses.push(response.status())
    })
    await waitUntil(() => statuses.filter(status => status === 304).length >= 2, {
      what: 'two answers of 304',
    })

    await showOrHide(page, true)
    await page.waitForTimeout(500)
    const before = statuses.length
    await page.waitForTimeout(5_000)
    expect(statuses.length).toBe(before)

    await showOrHide(page, false)
    await waitUntil(() => statuses.length > before, { what: 'a question once the page is seen again' })
  })

  it('without an answer says so, and goes on when there is one again', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, origin)
    await page.getByRole('listitem').first().waitFor()
    await page.route('**/stats?*', route => route.abort())
    await page.getByText('The server can’t be reached. Trying again…').waitFor()
    expect(await page.getByRole('listitem').count()).toBeGreaterThan(0)
    await page.unroute('**/stats?*')
    await page.getByText('Trying again…').waitFor({ state: 'detached' })
  })
})

/** What a browser does when its tab goes to the background: a headless one has no background. */
async function showOrHide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))`)
}
