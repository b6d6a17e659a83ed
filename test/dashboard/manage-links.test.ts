import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage, overflowOf, phone, waitForFocus } from './open-page.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

interface Link {
  long_url: string
  title: string | null
  tags: string[]
  expires_at: string | null
  disabled: boolean
  state: string
}

describe.skipIf(!browserAvailable())('links are managed on the page', () => {
  let dashboard: RunningDashboard
  let origin: string
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    origin = dashboard.origin
  }, 120_000)

  const linkOf = (slug: string) => ask<Link>(`${origin}/api/links/${slug}`)
  const statusOf = async (slug: string) => (await fetch(`${origin}/${slug}`, { redirect: 'manual' })).status

  async function change(slug: string, patch: Record<string, unknown>): Promise<void> {
    const response = await fetch(`${origin}/api/links/${slug}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(patch),
    })
    expect(response.status).toBe(200)
  }

  it('a new link with title and tags is the first row at once, and is found by state, tag and search', async () => {
    await shorten(origin, { slug: 'older' })
    const { page, incidents } = await openPage(dashboard.browser, origin)
    const rows = page.locator('.link-rows > li')
    await rows.filter({ hasText: '/older' }).waitFor()
    await page.getByLabel('Long URL').fill('https://xn--80ak6aa92e.com/login')
    await page.getByLabel('Short name').fill('newer')
    await page.getByText('Title, tags and expiry').click()
    await page.getByLabel('Title').fill('The spring fair')
    await page.getByLabel('Tags').fill('Spring, press office')
    await page.getByRole('button', { name: 'Shorten' }).click()
    await rows.first().getByText('The spring fair').waitFor()
    expect(await rows.first().locator('.slug').textContent()).toBe('/newer')
    expect(await rows.first().locator('.target').textContent()).toBe('xn--80ak6aa92e.com/login')

    await page.getByLabel('Search links').fill('SPRING F')
    await rows.filter({ hasText: '/older' }).waitFor({ state: 'detached' })
    expect(await rows.count()).toBe(1)
    await page.getByRole('button', { name: 'Remove the search SPRING F' }).click()
    await rows.filter({ hasText: '/older' }).waitFor()

    await page.getByRole('button', { name: 'Only links with the tag press office' }).click()
    await rows.filter({ hasText: '/older' }).waitFor({ state: 'detached' })
    expect(new URL(page.url()).searchParams.getAll('tag')).toEqual(['press office'])
    await page.getByLabel('Tag', { exact: true }).selectOption('Spring (1)')
    await page.getByRole('button', { name: 'Remove the tag Spring' }).waitFor()
    await rows.filter({ hasText: '/newer' }).waitFor()
    await page.getByLabel('State').selectOption('Disabled')
    await page.getByText('No link matches.').waitFor()
    await page.goBack()
    await rows.filter({ hasText: '/newer' }).waitFor()
    expect(incidents).toEqual([])
  })

  it('a row’s menu follows arrow keys, letters, Home, End and Escape, and gives the focus back', async () => {
    await shorten(origin, { slug: 'by-keys' })
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=by-keys`)
    const button = page.getByRole('button', { name: 'Actions for by-keys' })
    const item = (name: string) => page.getByRole('menuitem', { name })
    await button.focus()
    await page.keyboard.press('Enter')
    await waitForFocus(item('Edit…'))
    expect(await button.getAttribute('aria-expanded')).toBe('true')
    for (const [key, name] of [
      ['ArrowDown', 'Change expiry…'],
      ['ArrowUp', 'Edit…'],
      ['ArrowUp', 'Delete…'],
      ['ArrowDown', 'Edit…'],
      ['End', 'Delete…'],
      ['Home', 'Edit…'],
      ['h', 'History…'],
      ['d', 'Delete…'],
      ['d', 'Disable'],
    ] as const) {
      await page.keyboard.press(key)
      await waitForFocus(item(name))
    }
    await page.keyboard.press('Escape')
    await waitForFocus(button)
    expect(await page.getByRole('menu').count()).toBe(0)
    await page.keyboard.press('ArrowUp')
    await waitForFocus(item('Delete…'))
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Delete /by-keys' }).waitFor()
    await page.keyboard.press('Escape')
    await waitForFocus(button)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    expect(await statusOf('by-keys')).toBe(307)
    expect(incidents).toEqual([])
  })

  it('a link is disabled, which can be undone, and enabled', async () => {
    await shorten(origin, { slug: 'on-off' })
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=on-off`)
    const row = page.locator('.link-rows > li')
    await choose(page, 'on-off', 'Disable')
    await page.getByRole('status').getByText('/on-off is disabled').waitFor()
    await row.getByText('Disabled', { exact: true }).waitFor()
    expect((await linkOf('on-off')).state).toBe('disabled')
    expect(await statusOf('on-off')).toBe(404)
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('status').getByText('/on-off is enabled').waitFor()
    await waitForFocus(page.getByRole('button', { name: 'Actions for on-off' }))
    await row.getByText('Disabled', { exact: true }).waitFor({ state: 'detached' })
    expect(await statusOf('on-off')).toBe(307)

    // A list by visits has every state, too.
    await page.getByLabel('Sort by').selectOption('Most visits')
    await row.getByText('still counting').waitFor()
    await choose(page, 'on-off', 'Disable')
    await row.getByText('Disabled', { exact: true }).waitFor()
    await choose(page, 'on-off', 'Enable')
    await row.getByText('Disabled', { exact: true }).waitFor({ state: 'detached' })

    await page.goto(`${origin}/?link=on-off`)
    await choose(page, 'on-off', 'Disable')
    await page.locator('.link-head').getByText('Disabled', { exact: true }).waitFor()
    await choose(page, 'on-off', 'Enable')
    await page.locator('.link-head').getByText('Disabled', { exact: true }).waitFor({ state: 'detached' })
    expect((await linkOf('on-off')).disabled).toBe(false)
    expect(incidents).toEqual([])
  })

  it('editing sends what was changed, and no more', async () => {
    await shorten(origin, {
      slug: 'edited',
      title: 'Before',
      tags: ['a', 'b'],
      expires_at: '2099-07-01T10:00:30Z',
    })
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=edited`)
    await choose(page, 'edited', 'Edit…')
    const dialog = page.getByRole('dialog', { name: 'Edit /edited' })
    await waitForFocus(dialog.getByLabel('Long URL'))
    expect(await dialog.getByLabel('Expiry', { exact: false }).first().inputValue()).toBe('2099-07-01T12:00')
    await dialog.getByLabel('Long URL').fill('http://127.0.0.1/')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('The long URL must point to a public host').waitFor()
    await waitForFocus(dialog.getByLabel('Long URL'))
    await dialog.getByLabel('Long URL').fill('example.com/after')
    await dialog.getByLabel('Title').fill('')
    await dialog.getByLabel('Tags').fill('b, c')
    await dialog.getByLabel('Visit limit').fill('1,000')
    await dialog.getByLabel('Pass the query on').check()
    const sent = page.waitForRequest(request => request.method() === 'PATCH')
    await page.keyboard.press('Enter')
    const request = await sent
    expect(request.postDataJSON()).toEqual({
      long_url: 'https://example.com/after',
      title: null,
      tags: ['b', 'c'],
      max_visits: 1_000,
      forward_query: true,
    })
    expect((await request.allHeaders())['if-match']).toMatch(/^".+"$/)
    await page.getByRole('status').getByText('/edited is changed.').waitFor()
    await waitForFocus(page.getByRole('button', { name: 'Actions for edited' }))
    await page.locator('.link-rows > li .target').getByText('example.com/after').waitFor()
    expect(await linkOf('edited')).toMatchObject({
      title: null,
      tags: ['b', 'c'],
      expires_at: '2099-07-01T10:00:30.000Z',
    })
    expect(incidents).toEqual([])
  })

  it('says what somebody else has changed meanwhile, keeps what was typed, and overwrites only then', async () => {
    await shorten(origin, { slug: 'contested', title: 'Old title' })
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=contested`)
    await choose(page, 'contested', 'Edit…')
    const dialog = page.getByRole('dialog', { name: 'Edit /contested' })
    await dialog.getByLabel('Title').fill('My title')
    await change('contested', { title: 'Their title', note: 'Their note' })
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByRole('alert').getByText('Somebody else changed this link').waitFor()
    await dialog.getByText('Changed meanwhile to: Their title').waitFor()
    expect(await dialog.getByLabel('Title').inputValue()).toBe('My title')
    expect(await dialog.getByLabel('Note').inputValue()).toBe('Their note')
    expect((await linkOf('contested')).title).toBe('Their title')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await linkOf('contested')).toMatchObject({ title: 'My title', note: 'Their note' })
    expect(incidents).toEqual([])
  })

  it('the expiry has a dialog of its own', async () => {
    await shorten(origin, { slug: 'ending' })
    const { page } = await openPage(dashboard.browser, `${origin}/?search=ending`)
    await choose(page, 'ending', 'Change expiry…')
    const dialog = page.getByRole('dialog', { name: 'Expiry of /ending' })
    await waitForFocus(dialog.getByLabel('Expiry', { exact: false }).first())
    await page.keyboard.type('01072099')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('Please enter both date and time, or neither.').waitFor()
    await dialog.getByLabel('Expiry', { exact: false }).first().fill('2099-07-01T12:00')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect((await linkOf('ending')).expires_at).toBe('2099-07-01T10:00:00.000Z')
  })

  it('a link is deleted once its name is typed; the focus goes on to the next row', async () => {
    for (const slug of ['kept-1', 'dropped', 'kept-2']) await shorten(origin, { slug, tags: ['deleting'] })
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?tag=deleting`)
    await choose(page, 'dropped', 'Delete…')
    const dialog = page.getByRole('dialog', { name: 'Delete /dropped' })
    await dialog.getByLabel('Type dropped to confirm').fill('droped')
    await page.keyboard.press('Enter')
    await dialog.getByText('This is not dropped.').waitFor()
    expect((await linkOf('dropped')).state).toBe('active')
    await dialog.getByLabel('Type dropped to confirm').fill('/dropped')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('status').getByText('/dropped is deleted.').waitFor()
    await page.getByRole('link', { name: '/dropped' }).waitFor({ state: 'detached' })
    await waitForFocus(page.getByRole('link', { name: '/kept-1' }))
    expect(await statusOf('dropped')).toBe(410)

    await page.getByLabel('State').selectOption('Deleted')
    const row = page.locator('.link-rows > li').filter({ hasText: '/dropped' })
    await row.getByText('Deleted', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Actions for dropped' }).click()
    expect(await page.getByRole('menuitem').allTextContents()).toEqual(['History…'])
    await page.keyboard.press('Escape')
    await row.getByRole('link').click()
    await page.locator('.link-head').getByText('Deleted', { exact: true }).waitFor()
    expect(incidents).toEqual([])
  })

  it('the history of a link says what was changed from what to what', async () => {
    await shorten(origin, { slug: 'changing', long_url: 'https://example.com/first' })
    await change('changing', { long_url: 'https://xn--bcher-kva.example/' })
    await change('changing', { title: '<b>bold</b>' })
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=changing`, {
      viewport: phone,
    })
    await choose(page, 'changing', 'History…')
    const entries = page.getByRole('dialog', { name: 'History of /changing' }).locator('.history > li')
    await entries.nth(2).waitFor()
    expect(await entries.nth(0).textContent()).toMatch(/^Changed .*Title<b>bold<\/b>$/)
    expect(await entries.nth(1).textContent()).toContain(
      'from https://example.com/first to https://bücher.example/',
    )
    expect(await entries.nth(2).textContent()).toMatch(/^Created .*https:\/\/example\.com\/first$/)
    expect(await overflowOf(page)).toBe(0)
    await page.getByRole('button', { name: 'Close' }).click()
    await waitForFocus(page.getByRole('button', { name: 'Actions for changing' }))
    expect(incidents).toEqual([])
  })

  it('says why a change failed, and changes nothing', async () => {
    await shorten(origin, { slug: 'unlucky' })
    const { page } = await openPage(dashboard.browser, `${origin}/?search=unlucky`)
    await page.getByRole('button', { name: 'Actions for unlucky' }).waitFor()
    await page.route('**/api/links/unlucky', route => route.abort())
    await choose(page, 'unlucky', 'Disable')
    await page
      .getByRole('status')
      .getByText('/unlucky is not changed. The server can’t be reached.')
      .waitFor()
    await choose(page, 'unlucky', 'Delete…')
    await page.getByLabel('Type unlucky to confirm').fill('unlucky')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('The server can’t be reached.').waitFor()
    await page.unrouteAll()
    await waitUntil(async () => (await linkOf('unlucky')).state === 'active', {
      what: 'the link is as it was',
    })
  })
})

async function choose(page: Page, slug: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${slug}` }).click()
  await page.getByRole('menuitem', { name: action }).click()
}
