/** The chart, as seen, pointed at and operated by keyboard. */
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { nightlyTest } from '../support/nightly.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage } from './open-page.ts'
import { recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

describe.skipIf(!browserAvailable())('the chart', () => {
  let dashboard: RunningDashboard
  let slug: string
  const now = Date.now()
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    slug = await shorten(dashboard.origin)
    // More on later days; so each day has a height of its own.
    const times = Array.from({ length: 60 }, (_, day) =>
      Array.from({ length: 60 - day }, () => now - day * dayMs),
    )
    await recordVisits(dashboard.pool, slug, visitsAt(times.flat()))
  }, 120_000)

  const dayAgo = (days: number) => new Date(now - days * dayMs).toISOString().slice(0, 10)

  it('draws the API’s numbers to scale, and dots the line to the running bucket', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&tz=UTC`)
    await page.locator('.time-chart .now').first().waitFor()
    const today = new Date(now).toISOString().slice(0, 10)
    const from = new Date(Date.parse(today) - 29 * dayMs).toISOString()
    const { series } = await ask<{ series: { humans: number }[] }>(
      `${origin}/stats/${slug}?from=${from}&interval=day`,
    )
    const { points, rows } = await drawn(page)
    const [bottom, top] = [rows.at(0), rows.at(-1)]
    if (bottom === undefined || top === undefined) throw new Error('no rows')
    const shown = points.map(({ y }) => ((bottom.y - y) / (bottom.y - top.y)) * top.value)
    expect(shown.length).toBe(30)
    for (const [i, { humans }] of series.entries())
      expect(Math.abs((shown[i] ?? 0) - humans)).toBeLessThan(0.1)
    expect(await styleOf(page, '.time-chart .running', 'strokeDasharray')).not.toBe('none')
    expect(await styleOf(page, '.time-chart .now:not(.running)', 'strokeDasharray')).toBe('none')
    expect(incidents).toEqual([])
    await page.context().close()
  })

  it('shows the bucket under the pointer, and by arrow keys the next one, in words for screen readers', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&tz=UTC`)
    const chart = page.locator('.time-chart')
    await page.locator('.time-chart .now').first().waitFor()
    const { points } = await drawn(page)
    const hint = page.locator('.time-chart-hint')
    for (const index of [0, 14, 29]) {
      await chart.hover({ position: { x: points[index]?.x ?? 0, y: 120 } })
      await hint.getByText(`${31 + index} visits by humans`).waitFor()
      await hint.getByText(`before: ${1 + index},`).waitFor()
      expect(await sticksOut(page)).toBe(false)
    }
    await page.mouse.move(0, 0)
    await hint.waitFor({ state: 'detached' })
    const slider = page.getByRole('slider', { name: 'Visits by day' })
    await slider.focus()
    await hint.getByText('60 visits by humans').waitFor()
    await slider.press('ArrowLeft')
    await slider.press('ArrowLeft')
    await hint.getByText('58 visits by humans').waitFor()
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^58 visits by humans, .*, before: 28, /)
    await slider.press('Home')
    await hint.getByText('31 visits by humans').waitFor()
    expect(incidents).toEqual([])
    await page.context().close()
  })

  it('opens a day’s hours by a click and days by dragging, and Back returns', async () => {
    const { browser, origin } = dashboard
    const address = `${origin}/?link=${slug}&period=year&tz=UTC`
    const { page, incidents } = await openPage(browser, address)
    const caption = page.locator('figcaption')
    await caption.filter({ hasText: '1,830 visits by humans in the last 12 months' }).waitFor()
    // The running month, by days.
    await pointAt(page, 11)
    await page.locator('.time-chart-hint').getByText('Click: days').waitFor()
    await page.mouse.down()
    await page.mouse.up()
    const days = new Date(now).getUTCDate()
    const ofMonth = (days * (121 - days)) / 2
    await caption.filter({ hasText: `${ofMonth.toLocaleString('en')} visits by humans` }).waitFor()
    expect(new URL(page.url()).searchParams.get('interval')).toBe('day')
    await page.goBack()
    await caption.filter({ hasText: 'in the last 12 months' }).waitFor()
    expect(page.url()).toBe(address)

    await page.goto(`${origin}/?link=${slug}&tz=UTC`)
    await caption.filter({ hasText: 'in the last 30 days' }).waitFor()
    await pointAt(page, 20)
    await page.mouse.down()
    for (const index of [21, 24, 15, 17]) await pointAt(page, index)
    await page.locator('.time-chart-hint').getByText('198 visits by humans').waitFor()
    expect(await page.locator('.time-chart .selected').count()).toBe(1)
    await page.mouse.up()
    // 48 to 51 visits
    await caption.filter({ hasText: /^198 visits by humans from/ }).waitFor()
    expect(new URL(page.url()).searchParams.get('from')).toBe(dayAgo(12))
    expect(new URL(page.url()).searchParams.get('to')).toBe(dayAgo(9))
    await pointAt(page, 1)
    await page.mouse.down()
    await page.mouse.up()
    await caption.filter({ hasText: /^49 visits by humans on/ }).waitFor()
    expect(await page.getByLabel('Interval').inputValue()).toBe('hour')

    // Hours, too, from which parts of a day are selected.
    const hour = new Date(now).getUTCHours()
    await pointAt(page, hour)
    await page.mouse.down()
    await pointAt(page, hour >= 12 ? hour - 3 : hour + 3)
    await page.mouse.up()
    await caption.filter({ hasText: /^49 visits by humans on .*, \d\d:00 – \d\d:00/ }).waitFor()
    await page.getByTestId('period').getByText('49', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Whole days' }).click()
    await waitUntil(() => new URL(page.url()).searchParams.get('from') === dayAgo(11), {
      what: 'the whole day',
    })
    for (const what of ['49', '49', '198', '1,365']) {
      await page.goBack()
      await caption.filter({ hasText: new RegExp(`^${what} visits by humans`) }).waitFor()
    }
    expect(incidents).toEqual([])
    await page.context().close()
  }, 60_000)

  it('does the same by keyboard, and by a button after a tap', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}&tz=UTC`)
    const caption = page.locator('figcaption')
    const slider = page.getByRole('slider', { name: 'Visits by' })
    const hint = page.locator('.time-chart-hint')
    await slider.focus()
    await hint.waitFor()
    await slider.press('Escape')
    await hint.waitFor({ state: 'detached' })
    await slider.press('ArrowLeft')
    for (let i = 0; i < 3; i++) await slider.press('Shift+ArrowLeft')
    expect(await slider.getAttribute('aria-valuetext')).toMatch(
      /^230 visits by humans, .* – .*, before: 110,/,
    )
    await slider.press('Enter')
    await caption.filter({ hasText: /^230 visits by humans from/ }).waitFor()
    expect(await slider.evaluate('document.activeElement.type')).toBe('range')
    await slider.press('End')
    await slider.press('Enter')
    await caption.filter({ hasText: /^59 visits by humans on/ }).waitFor()
    await page.goBack()
    await page.goBack()
    await caption.filter({ hasText: 'in the last 30 days' }).waitFor()
    expect(incidents).toEqual([])
    await page.context().close()

    const phone = await openPage(browser, `${origin}/?link=${slug}&tz=UTC`, {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
    })
    const { x, y } = await placeOf(phone.page, 14)
    await phone.page.touchscreen.tap(x, y)
    const tapped = phone.page.locator('.time-chart-hint')
    await tapped.getByText('45 visits by humans').waitFor()
    expect(await sticksOut(phone.page)).toBe(false)
    await tapped.getByRole('button', { name: 'Show hours', includeHidden: true }).tap()
    await phone.page
      .locator('figcaption')
      .filter({ hasText: /^45 visits by humans on/ })
      .waitFor()
    expect(phone.incidents).toEqual([])
    await phone.page.context().close()
  }, 60_000)

  nightlyTest(
    'labels as many buckets as fit, at any width, number of buckets and font size',
    async () => {
      const { browser, origin } = dashboard
      const { page, incidents } = await openPage(browser, `${origin}/?link=${slug}`)
      const views = [
        'period=year',
        'period=year&interval=day',
        'period=day&interval=minute',
        'period=week&interval=hour',
      ]
      for (const view of views) {
        await page.goto(`${origin}/?link=${slug}&${view}`)
        await page.locator('.time-chart g').first().waitFor()
        for (const [width, fontSize] of [
          [320, '100%'],
          [820, '100%'],
          [1_280, '200%'],
          [1_920, '100%'],
        ] as const) {
          await page.evaluate(`document.documentElement.style.fontSize = '${fontSize}'`)
          await page.setViewportSize({ width, height: 700 })
          const what = `${view} at ${width} px and ${fontSize}`
          await waitUntil(async () => (await overlaps(page)).length === 0, {
            what: `no labels overlap: ${what}`,
          })
          expect([what, await page.locator('.time-chart svg > text:not(.probe)').count()]).toEqual([
            what,
            expect.toSatisfy((count: number) => count >= 2),
          ])
        }
      }
      expect(incidents).toEqual([])
      await page.context().close()
    },
    60_000,
  )

  it('is as small a line in a list, where today is dotted, too', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, `${origin}/?sort=visits`)
    const line = page.getByRole('img', { name: '54, 55, 56, 57, 58, 59, 60 so far today' })
    await line.waitFor()
    const lengths = "[...document.querySelectorAll('.sparkline polyline')].map(line => line.points.length)"
    expect(await page.evaluate<number[]>(lengths)).toEqual([6, 2])
    expect(await styleOf(page, '.sparkline polyline.running', 'strokeDasharray')).not.toBe('none')
    expect(await styleOf(page, '.sparkline polyline', 'strokeDasharray')).toBe('none')
    await page.context().close()
  })

  it('keeps its lines and labels visible where the system forces its colors', async () => {
    const { browser, origin } = dashboard
    const { page } = await openPage(browser, `${origin}/?link=${slug}`, { forcedColors: 'active' })
    await page.locator('.time-chart .now').first().waitFor()
    const text = await styleOf(page, 'figcaption', 'color')
    expect(await styleOf(page, '.time-chart .now', 'stroke')).toBe(text)
    expect(await styleOf(page, '.time-chart g text', 'fill')).toBe(text)
    await page.context().close()
  })
})

/** Of the first element that matches. */
async function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${property}`)
}

async function pointAt(page: Page, index: number): Promise<void> {
  const { x, y } = await placeOf(page, index)
  await page.mouse.move(x, y)
}

/** Where a bucket is in the window. */
async function placeOf(page: Page, index: number): Promise<{ x: number; y: number }> {
  const chart = page.locator('.time-chart-plot')
  await chart.scrollIntoViewIfNeeded()
  await page.locator('.time-chart .now').first().waitFor({ state: 'attached' })
  const [box, { points }] = [await chart.boundingBox(), await drawn(page)]
  return { x: (box?.x ?? 0) + (points[index]?.x ?? 0), y: (box?.y ?? 0) + 120 }
}

interface Drawn {
  /** Of the complete and the running buckets. */
  points: { x: number; y: number }[]
  rows: { y: number; value: number }[]
}

async function drawn(page: Page): Promise<Drawn> {
  return page.evaluate<Drawn>(`(() => {
    const points = path => [...path.getAttribute('d').matchAll(/[ML]([\\d.]+) ([\\d.]+)/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }))
    const [line, running] = document.querySelectorAll('.time-chart .now')
    const rows = [...document.querySelectorAll('.time-chart g')].map(row => ({
      y: Number(row.querySelector('line').getAttribute('y1')),
      value: Number(row.textContent.replaceAll(',', '')),
    }))
    return { points: [...points(line), ...(running ? points(running).slice(1) : [])], rows }
  })()`)
}

/** Whether the hint reaches beyond the chart at either side. */
async function sticksOut(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(`(() => {
    const hint = document.querySelector('.time-chart-hint').getBoundingClientRect()
    const chart = document.querySelector('.time-chart').getBoundingClientRect()
    return hint.left < chart.left - 1 || hint.right > chart.right + 1
  })()`)
}

/** Pairs of labels that overlap, and labels that stick out of the chart. */
async function overlaps(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const chart = document.querySelector('.time-chart svg').getBoundingClientRect()
    const labels = [...document.querySelectorAll('.time-chart text:not(.probe)')]
    const boxes = labels.map(label => ({ text: label.textContent, box: label.getBoundingClientRect() }))
    const found = boxes
      .filter(({ box }) => box.left < chart.left - 1 || box.right > chart.right + 1 || box.bottom > chart.bottom + 1 || box.top < chart.top - 1)
      .map(({ text }) => text + ' sticks out')
    for (const [i, one] of boxes.entries())
      for (const other of boxes.slice(i + 1))
        if (one.box.left < other.box.right && other.box.left < one.box.right && one.box.top < other.box.bottom && other.box.top < one.box.bottom)
          found.push(one.text + ' / ' + other.text)
    return found
  })()`)
}
