/** Nothing wraps, overlaps or is cut off, however large numbers are, however long texts, and however narrow the window. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { makeKey } from '../support/keys.ts'
import { isNightly } from '../support/nightly.ts'
import { browserAvailable } from './chromium.ts'
import { layoutFaults } from './layout-faults.ts'
import { ask, openPage, waitForFocus } from './open-page.ts'
import { recordVisits, someVisit } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

/** 320 and 640 px are a window of 1,280 px at 400 % and 200 % zoom. */
const widths = [320, 360, 640, 820, 1_280, 1_920]
const totals = isNightly ? [1, 1_000, 12_345_678, 1_234_567_890] : [1_234_567_890]
const visitsRecorded = 600
const dayMs = 86_400_000
const slug = 'a'.repeat(64)
const path = 'a-rather-long-part-of-a-path/'.repeat(50)

describe.skipIf(!browserAvailable())('everything fits', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    const { origin, pool } = dashboard
    await shorten(origin, {
      slug: 'rtl',
      long_url: 'https://example.org/مرحبا',
      title: 'مرحبا بالعالم 🎉 (123) abc',
    })
    await shorten(origin, {
      slug,
      long_url: `https://shop.example.com/${path}?${'x'.repeat(300)}`,
      title: 't'.repeat(200),
      tags: ['g'.repeat(50), 'عربي', 'short'],
    })
    const random = seededRandom('fits')
    const referrer = `https://${'long-'.repeat(11)}host.${'x'.repeat(60)}.example/${path}`
    const visits = Array.from({ length: visitsRecorded }, (_, i) => ({
      ...someVisit(Date.now() - ((i * i * 300) / visitsRecorded ** 2) * dayMs, random),
      ...(i % 7 === 0 && { referrer }),
    }))
    await recordVisits(pool, slug, visits)
    await recordVisits(pool, 'rtl', visits.slice(0, 40))
    await makeKey(pool, ['admin'], { name: 'k'.repeat(50), requestsPerMinute: 1_000_000 })
    const changed = await fetch(`${origin}/api/links/${slug}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ note: 'n'.repeat(500), long_url: `https://shop.example.com/${path}` }),
    })
    expect(changed.status).toBe(200)
  }, 120_000)

  it.each(totals)(
    'in every view and dialog, where a link has %i visits',
    async total => {
      const { browser, origin } = dashboard
      const { humans } = await ask<{ humans: number }>(`${origin}/stats/${slug}`)
      const { page, incidents } = await openPage(browser, `${origin}/healthz`)
      await scaleNumbers(page, total / humans)
      const found: string[] = []
      const lookAt = async (what: string) => {
        for (const width of widths) {
          await page.setViewportSize({ width, height: width === 640 ? 400 : 800 })
          await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
          found.push(...(await layoutFaults(page)).map(fault => `${what} at ${width} px: ${fault}`))
        }
      }
      const open = async (address: string, shown: string) => {
        await page.goto(`${origin}/${address}`)
        await page.locator(shown).locator('visible=true').first().waitFor()
      }
      const inDialog = async (what: string, openIt: () => Promise<void>) => {
        await openIt()
        await page.getByRole('dialog').waitFor()
        await lookAt(what)
        await page.keyboard.press('Escape')
        await page.getByRole('dialog').waitFor({ state: 'detached' })
      }
      const fromMenu = (item: string) => async () => {
        await page
          .getByRole('button', { name: /^(Actions|More)/ })
          .first()
          .click()
        await page.getByRole('menuitem', { name: item }).click()
      }

      await open('', '.link-rows li')
      await lookAt('the list')
      await open('?sort=growth&window=7d', '.link-rows li')
      await lookAt('the list by growth')

      await open(`?link=${slug}&period=year`, '.breakdown tbody tr')
      await lookAt('the report on a link')
      await page.getByRole('slider').focus()
      await page.locator('.time-chart-hint').waitFor()
      await lookAt('the hint of the chart')
      await page.getByRole('button', { name: 'Show as table' }).click()
      await lookAt('the series as a table')
      await inDialog('the QR code', () => page.getByRole('button', { name: 'QR code' }).first().click())
      await inDialog('the form', fromMenu('Edit'))
      await inDialog('the history', fromMenu('History'))
      await inDialog('the question before deletion', fromMenu('Delete'))
      await inDialog('the help', () => page.getByRole('button', { name: 'Keyboard help' }).click())
      await page.getByText('Export', { exact: true }).click()
      await lookAt('the menu for exports')

      await open(`?link=${slug}&country=DE&more=referrer`, '.breakdown h2')
      await lookAt('a filtered report')
      await open('?view=overview&bots=show&more=country', '.breakdown h2')
      await lookAt('the overview')
      await open('?view=keys', '.keys-list li')
      await lookAt('the keys')
      await open('?view=audit', '.history li')
      await lookAt('the audit')
      expect(found).toEqual([])
      expect(incidents).toEqual([])
      await page.unrouteAll({ behavior: 'ignoreErrors' })
      await page.context().close()
    },
    180_000,
  )

  it('compact numbers keep the exact one: in the tooltip, for screen readers, and when copied', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, `${origin}/healthz`, { viewport: { width: 360, height: 740 } })
    await scaleNumbers(page, 1_000_000)
    await page.goto(`${origin}/?link=${slug}`)
    const { humans } = await ask<{ humans: number }>(`${origin}/stats/${slug}`)
    const exact = (humans * 1_000_000).toLocaleString('en')
    const total = page.getByTestId('visits')
    await total.getByTitle(exact).waitFor()
    expect(await total.textContent()).toBe(exact)
    const shown =
      "getComputedStyle(document.querySelector('[data-testid=visits] .count'), '::before').content"
    expect(await page.evaluate<string>(shown)).toBe(`"${humans}M" / ""`)
    await page.setViewportSize({ width: 1_920, height: 800 })
    await page.reload()
    await total.getByTitle(exact).waitFor()
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.context().close()
  })

  it('long targets are folded, and unfold', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, `${origin}/?link=${slug}`, {
      viewport: { width: 360, height: 740 },
    })
    const target = page.locator('.long-url')
    const unfold = target.getByRole('button', { name: 'Show all' })
    await unfold.focus()
    await waitForFocus(unfold)
    expect(await target.getByText(path).count()).toBe(0)
    await unfold.press('Enter')
    await target.getByText(path).waitFor()
    expect(await layoutFaults(page)).toEqual([])
    await page.context().close()
  })
})

const counts = new Set([
  'visits',
  'humans',
  'bots',
  'previews',
  'uniques',
  'last_5_minutes',
  'growth',
  'links',
])

/** The API's responses with larger counts, and with the longest name of a country. */
async function scaleNumbers(page: Page, factor: number): Promise<void> {
  const scaled = (value: unknown, name = ''): unknown => {
    if (typeof value === 'number') return counts.has(name) ? Math.round(value * factor) : value
    if (Array.isArray(value)) {
      const values = value.map(one => scaled(one, name === 'sparkline' ? 'visits' : ''))
      return name === 'country' && values.length > 0
        ? [{ ...(values[0] as object), value: 'GS' }, ...values]
        : values
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, scaled(one, key)]))
  }
  await page.route(/\/(stats|api\/links)/, async route => {
    if (route.request().url().endsWith('/live')) return route.continue()
    const response = await route.fetch()
    const isJson = response.headers()['content-type']?.startsWith('application/json') === true
    await route.fulfill({ response, ...(isJson && response.ok() && { json: scaled(await response.json()) }) })
  })
}
