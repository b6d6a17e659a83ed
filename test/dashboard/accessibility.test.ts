import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { makeKey } from '../support/keys.ts'
import { isNightly, nightlyTest } from '../support/nightly.ts'
import { axeViolations } from './axe-violations.ts'
import { browserAvailable } from './chromium.ts'
import { desktop, openPage, overflowOf, phone, zoomed } from './open-page.ts'
import { recordVisits, someVisit } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const longSlug = 'a-name-as-long-as-a-name-can-be-0123456789-0123456789-0123456789'
const colorRules = ['color-contrast', 'link-in-text-block']
/** Of a theme only colors differ: the dark one waits for the night, except for those of the main pages. */
const themes = isNightly ? (['light', 'dark'] as const) : (['light'] as const)

describe.skipIf(!browserAvailable())('the dashboard is for everybody', () => {
  let dashboard: RunningDashboard
  let pages: Record<string, string>
  beforeAll(async () => {
    dashboard = await startDashboard()
    const { origin, pool } = dashboard
    await shorten(origin, {
      slug: longSlug,
      long_url: `https://example.com/${'long-'.repeat(60)}`,
      title: 'A title that is as long as titles are where somebody has much to say about a link',
      tags: ['a-tag-without-a-space-of-fifty-characters-01234567', 'press'],
      note: 'note '.repeat(50),
      max_visits: 12_345_678,
    })
    const random = seededRandom('accessibility')
    const visits = Array.from({ length: 1_234 }, (_, i) => ({
      ...someVisit(Date.now() - i * 600_000, random),
      ...(i % 3 > 0 && { referrer: `https://referrer.example/${'path/'.repeat(30)}` }),
    }))
    await recordVisits(pool, longSlug, visits)
    const referrers = Array.from({ length: 25 }, (_, i) => ({
      ...someVisit(Date.now() - i * 1_000, random),
      referrer: `https://${'long-'.repeat(8)}${i}.example/`,
    }))
    await recordVisits(pool, longSlug, referrers)
    await shorten(origin, { slug: 'silent' })
    await shorten(origin, { slug: 'disabled', disabled: true })
    for (const name of ['Press', 'a-name-without-a-space-'.repeat(4)])
      await makeKey(pool, ['admin'], { name })
    for (const slug of ['misprint', longSlug.toUpperCase()]) await fetch(`${origin}/${slug}`)
    pages = {
      links: `${origin}/`,
      link: `${origin}/?link=${longSlug}`,
      table: `${origin}/?link=${longSlug}&show=table`,
      overview: `${origin}/?view=overview&period=custom&from=2026-01-05&to=2026-06-07&bots=show`,
      filtered: `${origin}/?link=${longSlug}&period=day&referrer=&class=human&device=mobile`,
      minutes: `${origin}/?view=overview&period=hour`,
      'everything of a breakdown': `${origin}/?link=${longSlug}&more=referrer`,
      growth: `${origin}/?sort=growth&window=7d`,
      'nothing found': `${origin}/?search=nothing-begins-so`,
      'link without visits': `${origin}/?link=silent`,
      'no link': `${origin}/?link=unknown`,
      ranked: `${origin}/?sort=visits`,
      audit: `${origin}/?view=audit`,
      keys: `${origin}/?view=keys`,
    }
  }, 120_000)

  /** Most of what axe can find is on these. */
  function mainPages() {
    return Object.entries(pages).filter(([name]) => ['links', 'link', 'overview'].includes(name))
  }

  async function open(url: string, options: Parameters<typeof openPage>[2]) {
    const opened = await openPage(dashboard.browser, url, options)
    await opened.page
      .locator('.link-rows, .cards dd, .empty, .history li, .keys-list li, .lead:has-text("no link")')
      .first()
      .waitFor()
    if (/link=|view=overview/.test(url) && !url.includes('unknown'))
      await opened.page.locator('.breakdown').first().waitFor()
    return opened
  }

  it('axe finds nothing', async () => {
    for (const [name, url] of isNightly ? Object.entries(pages) : mainPages()) {
      // What is narrow is so on few pages.
      for (const viewport of ['links', 'link', 'filtered', 'audit'].includes(name)
        ? [desktop, phone]
        : [desktop]) {
        const { page, incidents } = await open(url, { colorScheme: 'light', viewport })
        expect({ name, viewport, found: await axeViolations(page) }).toEqual({ name, viewport, found: [] })
        // Of a theme, only the colors differ, and they are the same at any width.
        if (viewport === desktop) {
          await page.emulateMedia({ colorScheme: 'dark' })
          expect({ name, found: await axeViolations(page, colorRules) }).toEqual({ name, found: [] })
        }
        expect(incidents).toEqual([])
        await page.context().close()
      }
    }
  }, 180_000)

  for (const colorScheme of themes) {
    nightlyTest(
      `axe finds nothing in help, errors, a new link and an outage, ${colorScheme}`,
      async () => {
        const { page } = await open(pages.links ?? '', { colorScheme })
        await page.keyboard.press('?')
        await page.getByRole('dialog').waitFor()
        expect(await axeViolations(page)).toEqual([])
        await page.keyboard.press('Escape')
        await page
          .getByRole('button', { name: /^QR code of/ })
          .first()
          .click()
        await page.getByRole('dialog').waitFor()
        expect(await axeViolations(page)).toEqual([])
        await page.keyboard.press('Escape')
        await page.getByLabel('Long URL').fill('nonsense')
        await page.keyboard.press('Enter')
        await page.getByText('The long URL must').waitFor()
        expect(await axeViolations(page)).toEqual([])
        await page.getByLabel('Long URL').fill('https://example.com/')
        await page.keyboard.press('Enter')
        await page.getByRole('region', { name: 'Your new link' }).waitFor()
        await page.route('**/api/links?*', route => route.abort())
        await page.getByText('Trying again…').waitFor()
        expect(await axeViolations(page)).toEqual([])

        const { page: report } = await openPage(dashboard.browser, 'about:blank', { colorScheme })
        const detail = 'The range is too long for filters.'
        await report.route('**/filtered?*', route =>
          route.fulfill({
            status: 422,
            contentType: 'application/problem+json',
            body: JSON.stringify({ detail }),
          }),
        )
        await report.goto(pages.filtered ?? '')
        await report.getByRole('alert').getByText(detail).waitFor()
        await report.getByText('Export', { exact: true }).click()
        expect(await axeViolations(report)).toEqual([])
      },
      120_000,
    )
  }

  for (const colorScheme of themes) {
    it(`axe finds nothing in the menu and the dialogs of a link, which fit 360 px, ${colorScheme}`, async () => {
      const { page, incidents } = await open(pages.links ?? '', { colorScheme, viewport: phone })
      const menu = page.getByRole('button', { name: `Actions for ${longSlug}` })
      for (const action of ['Edit…', 'Change expiry…', 'History…', 'Delete…']) {
        await menu.click()
        await page.getByRole('menuitem', { name: action }).waitFor()
        if (action === 'Edit…') expect(await axeViolations(page)).toEqual([])
        await page.getByRole('menuitem', { name: action }).click()
        const dialog = page.getByRole('dialog')
        await dialog.locator('input, .history li').first().waitFor()
        if (action === 'Delete…') await dialog.getByRole('button', { name: 'Delete' }).click()
        expect({ action, found: await axeViolations(page) }).toEqual({ action, found: [] })
        expect({ action, overflow: await overflowOf(page) }).toEqual({ action, overflow: 0 })
        expect(await dialog.evaluate(element => element.scrollWidth - element.clientWidth)).toBe(0)
        await page.keyboard.press('Escape')
        await dialog.waitFor({ state: 'detached' })
      }
      expect(incidents).toEqual([])
    })
  }

  nightlyTest('fits 360 px and a zoom of 200 % without scrolling sideways', async () => {
    for (const [, url] of isNightly ? Object.entries(pages) : mainPages()) {
      for (const viewport of [phone, zoomed]) {
        const { page } = await open(url, { viewport })
        expect({ url, viewport, overflow: await overflowOf(page) }).toEqual({ url, viewport, overflow: 0 })
        await page.context().close()
      }
    }
  })

  it('is light or dark like the system, or as the user chooses, even after a reload', async () => {
    const { page } = await open(pages.link ?? '', { colorScheme: 'dark' })
    const brightness = () =>
      page.evaluate<number>(`
        (() => {
          const canvas = document.createElement('canvas').getContext('2d')
          canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor
          canvas.fillRect(0, 0, 1, 1)
          return canvas.getImageData(0, 0, 1, 1).data[0]
        })()`)
    expect(await brightness()).toBeLessThan(60)
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await brightness()).toBeGreaterThan(200)
    await page.getByRole('button', { name: 'Theme: automatic' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).click()
    expect(await brightness()).toBeLessThan(60)
    await page.reload()
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
    expect(await brightness()).toBeLessThan(60)
  })
})
