import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { waitUntil } from '../support/wait-until.ts'

export interface WatchedPage {
  page: Page
  /** What a page must never do: dialogs, script errors, breaches of its policy, requests to another origin. */
  incidents: string[]
}

export const desktop = { width: 1_100, height: 900 }
export const phone = { width: 360, height: 740 }
/** A window of 1,280 px at 200 % zoom. */
export const zoomed = { width: 640, height: 400 }

/** Opens an address as a reader in Berlin would, in a profile of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: desktop,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...options,
  })
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  const incidents: string[] = []
  page.on('dialog', dialog => {
    incidents.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('pageerror', error => incidents.push(`error: ${error.message}`))
  page.on('console', message => {
    // An answer of 404 or 422 is in the console too, and is no fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      incidents.push(`console: ${message.text()}`)
  })
  page.on('request', request => {
    if (!request.url().startsWith('data:') && new URL(request.url()).origin !== new URL(url).origin)
      incidents.push(`request: ${request.url()}`)
  })
  await page.goto(url)
  return { page, incidents }
}

/** How many pixels the page is wider than its window. */
export async function overflowOf(page: Page): Promise<number> {
  const pixels = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  return Math.max(0, pixels)
}

export async function waitForFocus(element: Locator): Promise<void> {
  await element.and(element.page().locator(':focus')).waitFor()
}

/** What the API answers, to be compared with what the page shows. */
export async function ask<T>(url: string): Promise<T> {
  const response = await waitUntil(
    async () => {
      const response = await fetch(url)
      // The page itself may have the API busy.
      return response.status !== 503 && response
    },
    { what: `an answer to ${url}` },
  )
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}
