import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { openPool, startApi } from '../support/hopcount.ts'
import { makeKey } from '../support/keys.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable, buildDashboard, openBrowser } from './chromium.ts'
import { openPage, waitForFocus } from './open-page.ts'
import { firefox, recordVisits } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'

const dayMs = 86_400_000
const mostSteps = 80

describe.skipIf(!browserAvailable())('the page by keyboard alone', () => {
  let dashboard: RunningDashboard
  let key: string
  beforeAll(async () => {
    buildDashboard()
    const { url } = await createTestDatabase()
    const installation = {
      databaseUrl: url,
      env: { ACCESS: 'keys', RATE_LIMIT_WRITES: '0', RATE_LIMIT_STATS: '0' },
    }
    const [api, browser] = await Promise.all([startApi(installation), openBrowser()])
    const pool = openPool(url)
    dashboard = { origin: api.origin, browser, pool, installation }
    key = (await makeKey(pool, ['admin'], { name: 'Ann' })).key
    for (const slug of ['letter', 'other'])
      await fetch(`${api.origin}/api/links`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ slug, long_url: 'https://example.com/' }),
      })
    const visits = Array.from({ length: 40 }, (_, i) => ({
      visitedAt: Date.now() - (i * dayMs) / 2,
      referrer: i % 2 === 0 ? 'https://news.example/' : undefined,
      userAgent: firefox,
      address: '91.198.174.1',
    }))
    await recordVisits(pool, 'letter', visits)
  }, 120_000)

  async function signIn(path: string) {
    const opened = await openPage(dashboard.browser, dashboard.origin + path, {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await waitForFocus(opened.page.getByLabel('Key', { exact: true }))
    await opened.page.keyboard.type(key)
    await opened.page.keyboard.press('Enter')
    return opened
  }

  it('a link is created, copied, found, edited, tagged, disabled, enabled and deleted, between sign-in and sign-out', async () => {
    const { page, incidents } = await signIn('/')
    const { keyboard } = page
    await page.getByLabel('Long URL').waitFor()
    await keyboard.press('n')
    await waitForFocus(page.getByLabel('Long URL'))
    await keyboard.type('https://example.com/by-keyboard?d=w&m=y')
    await tabTo(page, /^Short name/)
    await keyboard.type('made')
    await keyboard.press('Enter')
    await waitUntil(async () => (await focused(page)) === 'Copy', { what: 'the copy button has the focus' })
    await keyboard.press('Enter')
    await waitUntil(async () => (await clipboardOf(page)) === `${dashboard.origin}/made`, {
      what: 'it is copied',
    })

    await tabTo(page, /^QR code/)
    await keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('img').waitFor()
    const image = page.waitForEvent('download')
    await tabTo(page, /SVG/)
    await keyboard.press('Enter')
    expect((await image).suggestedFilename()).toMatch(/^made.*svg$/)
    await keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })

    await keyboard.press('/')
    await keyboard.type('MADE')
    const rows = page.locator('.link-rows > li')
    await waitUntil(async () => (await rows.count()) === 1, { what: 'the link is found' })
    const act = async (action: string) => {
      await tabTo(page, /^Actions for made$/)
      await keyboard.press('ArrowDown')
      await waitUntil(
        async () => {
          if ((await focused(page)) === action) return true
          await keyboard.press('ArrowDown')
          return false
        },
        { what: `the menu is at ${action}` },
      )
      await keyboard.press('Enter')
    }
    await act('Edit…')
    await waitForFocus(dialog.getByLabel('Long URL'))
    await tabTo(page, /^Title/)
    await keyboard.type('Made by keyboard')
    await tabTo(page, /^Tags/)
    await keyboard.type('press, spring')
    await keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await rows.getByText('Made by keyboard').waitFor()
    await waitForFocus(page.getByRole('button', { name: 'Actions for made' }))
    await rows.getByRole('button', { name: 'Only links with the tag spring' }).waitFor()

    await keyboard.press('Shift+Tab')
    await act('Disable')
    await rows.getByText('Disabled', { exact: true }).waitFor()
    await keyboard.press('Shift+Tab')
    await act('Enable')
    await rows.getByText('Disabled', { exact: true }).waitFor({ state: 'detached' })
    await keyboard.press('Shift+Tab')
    await act('Delete…')
    await waitUntil(async () => /^Type made/.test(await focused(page)), { what: 'the name is asked for' })
    await keyboard.type('made')
    await keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await waitUntil(async () => (await rows.count()) === 0, { what: 'the link is gone' })
    expect(await focused(page)).toMatch(/^Links/)

    await page.reload()
    await page.getByLabel('Long URL').waitFor()
    await tabTo(page, /^Signed in as Ann$/)
    await keyboard.press('ArrowUp')
    await waitUntil(async () => (await focused(page)) === 'Sign out', { what: 'the menu is open' })
    await keyboard.press('Enter')
    await waitForFocus(page.getByLabel('Key', { exact: true }))
    expect(incidents).toEqual([])
  })

  it('a report’s period is chosen, compared, filtered, exported and left', async () => {
    const { page, incidents } = await signIn('/?link=letter')
    const { keyboard } = page
    await page.locator('.breakdown').first().waitFor()
    await keyboard.press('w')
    await page.waitForURL('**/?link=letter&period=week')
    await tabTo(page, /^Period$/)
    await keyboard.press('ArrowDown')
    await page.waitForURL('**/?link=letter')
    await keyboard.press('ArrowUp')
    await page.waitForURL('**/?link=letter&period=week')
    // In a list, letters choose from it.
    await tabTo(page, /^Humans$/)
    await keyboard.press('x')
    await page.waitForURL('**/?*compare=off')
    await keyboard.press('x')
    await page.waitForURL('**/?link=letter&period=week')

    await tabTo(page, /^news\.example$/)
    await keyboard.press('Enter')
    await page.waitForURL('**/?*referrer=news.example')
    const chip = page.getByRole('button', { name: /^Remove the filter Referrer/ })
    await chip.waitFor()
    await tabTo(page, /^Remove the filter Referrer/)
    await keyboard.press('Space')
    await page.waitForURL('**/?link=letter&period=week')
    await waitForFocus(page.getByRole('heading', { level: 1 }))

    await tabTo(page, /^Export/)
    await keyboard.press('Enter')
    const file = page.waitForEvent('download')
    await tabTo(page, /^Breakdowns, CSV/)
    await keyboard.press('Enter')
    expect((await file).suggestedFilename()).toMatch(/letter.*csv$/)
    await keyboard.press('Escape')
    await waitUntil(async () => /^Export/.test(await focused(page)), { what: 'the menu is closed' })

    await keyboard.press('o')
    await waitForFocus(page.getByRole('heading', { level: 1, name: 'Overview' }))
    await keyboard.press('l')
    await waitForFocus(page.getByRole('heading', { level: 1, name: 'Shorten a link' }))
    await keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    await keyboard.press('y')
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(page.url()).not.toContain('year')
    expect(incidents).toEqual([])
  })

  it('single-key shortcuts do nothing in a dialog, and can be turned off', async () => {
    const { page } = await signIn('/?link=letter')
    await page.locator('.breakdown').first().waitFor()
    await page.keyboard.press('?')
    await page.getByLabel('Use these shortcuts').waitFor()
    await page.keyboard.press('o')
    expect(page.url()).not.toContain('overview')
    await page.getByLabel('Use these shortcuts').uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('y')
    await page.keyboard.press('/')
    expect(page.url()).not.toContain('period')
    expect(await focused(page)).not.toBe('Search links')
  })
})

/** Presses Tab until the control with this name has the focus; around the page once, at most. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed = []
  for (let step = 0; step < mostSteps; step++) {
    await page.keyboard.press('Tab')
    const reached = await focused(page)
    if (name.test(reached)) return
    passed.push(reached)
  }
  throw new Error(`the Tab key does not lead to ${name}, but to ${passed.join(', ')}`)
}

function clipboardOf(page: Page): Promise<string> {
  return page.evaluate<string>('navigator.clipboard.readText()')
}

/** The name of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`
    (() => {
      const element = document.activeElement
      const label = element.labels?.[0]?.textContent
      return (element.getAttribute('aria-label') ?? label ?? element.textContent).trim()
    })()`)
}
