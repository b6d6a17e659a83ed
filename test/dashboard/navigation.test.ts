import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { openPage, waitForFocus } from './open-page.ts'
import { firefox, recordVisits } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const links = 60
const languages = ['cs', 'da', 'de', 'en', 'es', 'fi', 'fr', 'it', 'nl', 'pl', 'pt', 'sv']

describe.skipIf(!browserAvailable())('nobody loses their place', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    const { origin, pool } = dashboard
    for (let n = 1; n <= links; n++)
      await shorten(origin, { slug: `link-${n}`, tags: n === 1 ? ['one'] : [] })
    const now = Date.now()
    const visits = Array.from({ length: 60 }, (_, i) => ({
      visitedAt: now - i * 60_000,
      referrer: `https://site-${i % 12}.example/`,
      userAgent: firefox,
      language: languages[i % languages.length],
      address: '91.198.174.1',
    }))
    await recordVisits(pool, 'link-1', visits)
  }, 120_000)

  it('the first press of Tab offers to skip the header', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    await page.locator('.link-rows > li').first().waitFor()
    await page.keyboard.press('Tab')
    const skip = page.getByRole('link', { name: 'Skip to content' })
    await waitForFocus(skip)
    expect(await skip.evaluate(element => element.getBoundingClientRect().top)).toBeGreaterThanOrEqual(0)
    await page.keyboard.press('Enter')
    await waitForFocus(page.getByRole('main'))
    await page.keyboard.press('Tab')
    await waitForFocus(page.getByLabel('Long URL'))
    expect(page.url()).toBe(`${dashboard.origin}/`)
    expect(incidents).toEqual([])
  })

  it('Back returns to the same place of the list, with the same link focused, also after a reload', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    const row = page.locator('.link-rows > li').nth(8)
    await row.waitFor()
    const link = row.locator('.slug')
    const name = await link.textContent()
    await link.scrollIntoViewIfNeeded()
    await page.evaluate('scrollBy(0, 40)')
    const place = await scrolled(page)
    expect(place).toBeGreaterThan(100)
    await link.focus()
    await page.keyboard.press('Enter')
    const heading = page.getByRole('heading', { level: 1, name: name ?? '' })
    await waitForFocus(heading)
    expect(await scrolled(page)).toBe(0)
    await page.goBack()
    const same = page.locator('.slug').filter({ hasText: new RegExp(`^${name}$`) })
    await waitForFocus(same)
    await waitForScroll(page, place)

    await page.reload()
    await waitForScroll(page, place)
    await page.goForward()
    await heading.waitFor()
    await waitForScroll(page, 0)
    expect(incidents).toEqual([])
  })

  it('what was typed and not sent is there again after Back and after a reload', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    await page.getByLabel('Long URL').fill('https://example.com/unsent')
    await page.getByText('Title, tags and expiry').click()
    await page.getByLabel('Title').fill('Not yet')
    await page.getByRole('navigation', { name: 'Pages', exact: true }).getByText('Overview').click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await page.goBack()
    await waitForTyped(page)
    await page.reload()
    await waitForTyped(page)
    expect(await page.getByLabel('Title').isVisible()).toBe(true)

    // A link to the same page is a new visit of it.
    await page.getByRole('navigation', { name: 'Pages', exact: true }).getByText('Overview').click()
    await page.getByRole('navigation', { name: 'Pages', exact: true }).getByText('Links').click()
    await page.getByLabel('Long URL').waitFor()
    expect(await page.getByLabel('Long URL').inputValue()).toBe('')
    expect(incidents).toEqual([])
  })

  it('nothing of a key is kept', async () => {
    const { page } = await openPage(dashboard.browser, `${dashboard.origin}/?view=keys`)
    await page.getByRole('textbox', { name: /^Name/ }).fill('Ann’s laptop')
    await page.reload()
    await page.getByRole('textbox', { name: /^Name/ }).waitFor()
    expect(await page.evaluate<string>('JSON.stringify(sessionStorage)')).not.toContain('laptop')
  })

  it('after a filter is removed the next one has the focus, and after the last the heading', async () => {
    const { page, incidents } = await openPage(
      dashboard.browser,
      `${dashboard.origin}/?link=link-1&class=human&browser=Firefox`,
    )
    const chips = page.getByRole('list', { name: 'Filters' })
    await chips.getByRole('button', { name: 'Remove the filter Browser: Firefox' }).focus()
    await page.keyboard.press('Enter')
    const last = chips.getByRole('button', { name: /^Remove the filter/ })
    await waitForFocus(last)
    await page.keyboard.press('Enter')
    await waitForFocus(page.getByRole('heading', { level: 1 }))

    const { page: list } = await openPage(dashboard.browser, `${dashboard.origin}/?tag=one&search=link`)
    await list.getByRole('button', { name: 'Remove the search link' }).focus()
    await list.keyboard.press('Space')
    await waitForFocus(list.getByRole('button', { name: 'Remove the tag one' }))
    await list.keyboard.press('Space')
    await waitForFocus(list.getByRole('heading', { level: 2, name: /^Links/ }))
    expect(incidents).toEqual([])
  })

  it('another page of a list begins at its heading', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    const heading = page.getByRole('heading', { level: 2, name: /^Links/ })
    await page.getByRole('link', { name: /^Next/ }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/?*after=*')
    await waitForFocus(heading)
    expect(await heading.evaluate(element => element.getBoundingClientRect().top)).toBeGreaterThanOrEqual(0)

    await page.goto(`${dashboard.origin}/?link=link-1`)
    await page.getByRole('link', { name: 'Older' }).focus()
    await page.keyboard.press('Enter')
    await waitForFocus(page.getByRole('heading', { level: 2, name: 'Older visits' }))
    expect(incidents).toEqual([])
  })

  it('a control that is rendered anew or moved keeps the focus', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    const sort = page.getByLabel('Sort by')
    await sort.focus()
    for (const title of ['Most visits', 'Newest', 'Growth']) {
      await sort.selectOption(title)
      await waitUntil(async () => (await sort.locator('option:checked').textContent()) === title, {
        what: `the list is sorted by ${title}`,
      })
      await waitForFocus(sort)
    }
    await page.keyboard.press('n')
    // A list takes letters itself: they choose an option.
    await waitForFocus(sort)
    await page.getByRole('heading', { level: 1 }).focus()
    await page.keyboard.press('n')
    await waitForFocus(page.getByLabel('Long URL'))

    // In full, a breakdown is the first one.
    await page.goto(`${dashboard.origin}/?link=link-1`)
    const unfold = page.getByRole('button', { name: /^Show all.*language/ })
    await unfold.focus()
    await page.keyboard.press('Enter')
    await waitForFocus(page.getByRole('button', { name: /^Show fewer.*language/ }))
    await page.keyboard.press('Enter')
    await waitForFocus(unfold)
    // As a value of a breakdown does when it overtakes another one.
    const value = page.getByRole('region', { name: 'Country' }).getByRole('button').last()
    await value.focus()
    await value.evaluate(button => button.closest('table')?.prepend(button.closest('tbody') ?? ''))
    await waitForFocus(value)
    await page.goBack()
    await waitForFocus(page.getByLabel('Long URL'))
    expect(incidents).toEqual([])
  })

  it('dialogs give the focus back to what opened them', async () => {
    const { page, incidents } = await openPage(dashboard.browser, dashboard.origin)
    const row = page.locator('.link-rows > li').first()
    await row.waitFor()
    const help = page.getByRole('button', { name: 'Keyboard help' })
    const code = row.getByRole('button', { name: /^QR code/ })
    for (const button of [help, code]) {
      await button.focus()
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await waitForFocus(button)
    }
    const menu = row.getByRole('button', { name: /^Actions/ })
    for (const action of ['Edit…', 'History…', 'Delete…']) {
      await menu.focus()
      await page.keyboard.press('Enter')
      await page.getByRole('menuitem', { name: action }).press('Enter')
      await page.getByRole('dialog').locator('input, li').first().waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await waitForFocus(menu)
    }
    expect(incidents).toEqual([])
  })
})

function scrolled(page: Page): Promise<number> {
  return page.evaluate<number>('Math.round(scrollY)')
}

async function waitForScroll(page: Page, place: number): Promise<void> {
  let last: number | undefined
  await waitUntil(
    async () => {
      last = await scrolled(page)
      return Math.abs(last - place) <= 1
    },
    { what: `the page is scrolled to ${place}` },
  ).catch(error => {
    throw new Error(`${error.message}; it is at ${last}`, { cause: error })
  })
}

async function waitForTyped(page: Page): Promise<void> {
  await waitUntil(
    async () =>
      (await page.getByLabel('Long URL').inputValue()) === 'https://example.com/unsent' &&
      (await page.getByLabel('Title').inputValue()) === 'Not yet',
    { what: 'the form has what was typed' },
  )
}
