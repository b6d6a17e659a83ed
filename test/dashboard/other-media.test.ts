import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { nightlyTest } from '../support/nightly.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { desktop, openPage, phone, waitForFocus } from './open-page.ts'
import { recordVisits, someVisit } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const screens = 4
const lateMs = 400
/** Cumulative layout shift: half of what Web Vitals call good. */
const mostMoved = 0.05

describe.skipIf(!browserAvailable())('the page on a phone, on paper and in a screen reader', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    const { origin, pool } = dashboard
    for (let n = 1; n <= 12; n++)
      await shorten(origin, {
        slug: `link-${n}`,
        long_url: `https://example.com/articles/${n}?utm_source=mail`,
      })
    const random = seededRandom('other media')
    const now = Date.now()
    const visits = Array.from({ length: 1_200 }, (_, i) => someVisit(now - i * 1_800_000, random))
    for (const slug of ['link-1', 'link-2']) await recordVisits(pool, slug, visits)
  }, 120_000)

  async function openReport(options: Parameters<typeof openPage>[2], address = '/?link=link-1') {
    const opened = await openPage(dashboard.browser, dashboard.origin + address, options)
    await opened.page.locator('.breakdown, .recent').last().waitFor({ state: 'attached' })
    await opened.page.locator('#recent').waitFor()
    return opened
  }

  it('on a phone a report is at most four screens high, and its sections unfold and stay so', async () => {
    const { page, incidents } = await openReport(
      { viewport: phone, hasTouch: true },
      '/?view=overview&bots=show',
    )
    expect(await heightOf(page)).toBeLessThanOrEqual(screens * phone.height)
    await page.goto(`${dashboard.origin}/?link=link-1`)
    const referrer = page.getByRole('button', { name: 'Referrer', exact: true })
    await referrer.waitFor()
    await page.locator('#recent').waitFor()
    expect(await heightOf(page)).toBeLessThanOrEqual(screens * phone.height)

    const value = page.getByRole('region', { name: 'Referrer' }).getByRole('row').nth(1)
    expect(await referrer.getAttribute('aria-expanded')).toBe('false')
    expect(await value.isVisible()).toBe(false)
    await referrer.tap()
    await value.waitFor()
    expect(await referrer.getAttribute('aria-expanded')).toBe('true')
    await page.getByRole('button', { name: 'Recent visits' }).tap()
    await page.locator('.recent tbody tr').first().waitFor()
    await page.goto(`${dashboard.origin}/?link=link-2`)
    await value.waitFor()
    await page.locator('.recent tbody tr').first().waitFor()

    // Where there is room, everything is open, and nothing is a button for it.
    await page.setViewportSize({ width: 1_100, height: 900 })
    await referrer.waitFor({ state: 'detached' })
    await page.getByRole('region', { name: 'Country' }).getByRole('row').nth(1).waitFor()
    expect(incidents).toEqual([])
  })

  it('on a phone the first result of a search is above the fold, and what is being typed never goes', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin, { viewport: phone })
    const first = page.locator('.link-rows > li').first()
    await page.getByLabel('Search links').fill('LINK-7')
    await waitUntil(async () => (await page.locator('.link-rows > li').count()) === 1, { what: 'one link' })
    const bottom = await first.evaluate(row => row.getBoundingClientRect().bottom)
    expect(bottom).toBeLessThanOrEqual(phone.height)

    await page.getByLabel('Search links').blur()
    await page.keyboard.press('n')
    const field = page.getByLabel('Long URL')
    await waitForFocus(field)
    await waitUntil(async () => ((await field.boundingBox())?.width ?? 0) > 200, { what: 'the form is seen' })
    await field.fill('https://example.com/')
    await page.getByLabel('Search links').focus()
    expect((await field.boundingBox())?.width).toBeGreaterThan(200)
    expect(incidents).toEqual([])
  })

  it('prints in light colors with period, address and every section, and without controls or cut-off tables', async () => {
    const { page, incidents } = await openReport(
      { viewport: phone, colorScheme: 'dark' },
      '/?link=link-1&device=mobile',
    )
    await page.getByRole('button', { name: 'Theme: automatic' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).click()
    await page.emulateMedia({ media: 'print' })
    const seen = await page.evaluate<{
      controls: string[]
      cut: string[]
      background: string
      text: string
    }>(`(() => {
      const isSeen = element => element.checkVisibility() && element.getBoundingClientRect().height > 1
      const all = [...document.querySelectorAll('main *')].filter(isSeen)
      return {
        controls: [...document.querySelectorAll('button:not(.value, .chip, .fold-button, .tag), input, select, summary:not(td *)')]
          .filter(isSeen).map(({ outerHTML }) => outerHTML),
        cut: all.filter(({ scrollHeight, clientHeight, scrollWidth, clientWidth }) =>
          clientHeight > 0 && (scrollHeight > clientHeight + 2 || scrollWidth > clientWidth + 2))
          .filter(element => getComputedStyle(element).overflow !== 'visible').map(({ outerHTML }) => outerHTML),
        background: getComputedStyle(document.documentElement).backgroundColor,
        text: document.querySelector('main').innerText,
      }
    })()`)
    expect(seen).toMatchObject({ controls: [], cut: [], background: 'rgb(255, 255, 255)' })
    for (const text of [
      '/link-1',
      `${dashboard.origin}/link-1`,
      'Time zone Europe/Berlin, printed ',
      'Mobile',
      'Referrer',
      'Recent visits',
    ])
      expect(seen.text).toContain(text)
    expect(await page.locator('.recent tbody tr').count()).toBe(20)
    expect(await page.locator('.recent tbody tr').last().isVisible()).toBe(true)
    const pdf = (await page.pdf({ format: 'A4' })).toString('latin1')
    const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0
    expect(pages).toBeGreaterThan(1)
    expect(pages).toBeLessThanOrEqual(6)
    expect(incidents).toEqual([])
  })

  nightlyTest('hardly anything moves while a view loads, whichever response comes last', async () => {
    const loads = [
      { path: '/', last: '.link-rows', late: '/api/links', viewport: desktop },
      { path: '/?view=overview', last: '.breakdown.links', late: '/stats', viewport: phone },
      { path: '/?link=link-1', last: '.recent', late: '/api/links', viewport: phone },
      { path: '/?link=link-1', last: '.recent', late: '/stats', viewport: desktop },
    ]
    for (const { path, last, late, viewport } of loads) {
      const { page } = await openPage(dashboard.browser, 'about:blank', { viewport })
      await page.addInitScript(`
          window.moved = 0
          new PerformanceObserver(list => {
            for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) moved += value
          }).observe({ type: 'layout-shift', buffered: true })`)
      await page.route(`**${late}**`, async route => {
        await setTimeout(lateMs)
        await route.continue()
      })
      await page.goto(dashboard.origin + path)
      await page.locator(last).first().waitFor({ state: 'attached' })
      const moved = await page.evaluate<number>('moved')
      expect({ path, late, isSteady: moved <= mostMoved, moved }).toMatchObject({ isSteady: true })
      await page.unrouteAll({ behavior: 'ignoreErrors' })
      await page.context().close()
    }
  })

  it('the number of links that a search found, and the page of a list, are announced', async () => {
    const { page } = await openPage(dashboard.browser, `${dashboard.origin}/?search=link-1`)
    const announcer = page.locator('#announcer')
    await announcer.getByText('4 links', { exact: true }).waitFor({ state: 'attached' })
    await page.getByLabel('Search links').fill('link-12')
    await announcer.getByText('1 link', { exact: true }).waitFor({ state: 'attached' })
    await page.goto(`${dashboard.origin}/?page=2&after=0`)
    await announcer.getByText(/^\d+ links?, page 2$/).waitFor({ state: 'attached' })
  })

  nightlyTest('what a choice led to is announced once, and not again at each poll', async () => {
    const { page, incidents } = await openReport({})
    await page.evaluate(`{
      window.announced = []
      const announcer = document.getElementById('announcer')
      new MutationObserver(() => announced.push(announcer.textContent)).observe(announcer, { childList: true, characterData: true, subtree: true })
    }`)
    const announced = () => page.evaluate<string[]>('window.announced')
    await page.keyboard.press('w')
    await waitUntil(async () => (await announced()).length > 0, { what: 'the week is announced' })
    await page.getByRole('button', { name: 'Mobile', exact: true }).click()
    await waitUntil(async () => (await announced()).length > 1, { what: 'the filter is announced' })
    for (let polls = 0; polls < 2; polls++)
      await page.waitForResponse(response => response.url().includes('/stats/link-1'))
    const [week = '', filtered = '', ...others] = await announced()
    expect(week).toMatch(/^\d+ visits by humans .*\.$/)
    expect(filtered).toMatch(/^\d+ visits by humans .*\.$/)
    expect(Number.parseInt(filtered, 10)).toBeLessThan(Number.parseInt(week, 10))
    expect(others).toEqual([])
    expect(incidents).toEqual([])
  })
})

function heightOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollHeight')
}
