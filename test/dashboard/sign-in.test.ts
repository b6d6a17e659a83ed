import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Scope } from '../../apps/api/access/actor.ts'
import { openPool, startApi } from '../support/hopcount.ts'
import { makeKey, revoke } from '../support/keys.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { axeViolations } from './axe-violations.ts'
import { browserAvailable, buildDashboard, openBrowser } from './chromium.ts'
import { openPage, overflowOf, phone, waitForFocus } from './open-page.ts'
import type { RunningDashboard } from './running-dashboard.ts'

describe.skipIf(!browserAvailable())('the page where ACCESS=keys', () => {
  let dashboard: RunningDashboard
  let origin: string
  let adminKey: string
  beforeAll(async () => {
    buildDashboard()
    const { url } = await createTestDatabase()
    const installation = {
      databaseUrl: url,
      env: { ACCESS: 'keys', RATE_LIMIT_WRITES: '0', RATE_LIMIT_STATS: '0' },
    }
    const [api, browser] = await Promise.all([startApi(installation), openBrowser()])
    dashboard = { origin: api.origin, browser, pool: openPool(url), installation }
    origin = api.origin
    adminKey = (await makeKey(dashboard.pool, ['admin'], { name: 'Ann' })).key
    for (const slug of ['first', 'second'])
      expect((await callApi('POST', '/api/links', { long_url: 'https://example.com/', slug })).status).toBe(
        201,
      )
  }, 120_000)

  function callApi(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(origin + path, {
      method,
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  async function signedIn(scopes: Scope[], options: { path?: string; name?: string } = {}) {
    const { path = '/', name = scopes.join(' ') } = options
    const { key, id } = await makeKey(dashboard.pool, scopes, { name })
    const opened = await openPage(dashboard.browser, origin + path, {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await enterKey(opened.page, key)
    return { ...opened, key, id }
  }

  it('asks for a key, refuses a wrong one, keeps none, and signs out', async () => {
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?link=second`)
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    await waitForFocus(page.getByLabel('Key', { exact: true }))
    expect(await page.getByRole('link', { name: 'Overview' }).count()).toBe(0)
    expect(await page.getByLabel('Search links').count()).toBe(0)
    await page.keyboard.type(`hop_${'x'.repeat(43)}`)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('This key is not valid.').waitFor()
    await waitForFocus(page.getByLabel('Key', { exact: true }))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect({ colorScheme, found: await axeViolations(page) }).toEqual({ colorScheme, found: [] })
    }
    await enterKey(page, ` ${adminKey} `)
    await page.getByRole('heading', { level: 1, name: '/second' }).waitFor()
    await page.getByText('Ann', { exact: true }).waitFor()

    const kept = await page.evaluate<string>(
      '[document.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage), document.documentElement.outerHTML, location.href, JSON.stringify(history.state)].join()',
    )
    expect(kept).not.toContain(adminKey)
    expect(kept).not.toContain('hopcount_session')
    await page.reload()
    await page.getByRole('heading', { level: 1, name: '/second' }).waitFor()

    await page.getByRole('button', { name: 'Signed in as Ann' }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    expect(await page.getByText('/second').count()).toBe(0)
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    expect(incidents).toEqual([])
  })

  it('says that it can’t sign in while the server can’t check keys', async () => {
    const { page } = await openPage(dashboard.browser, 'about:blank')
    await page.route('**/api/session', route => route.abort())
    await page.goto(origin)
    await page.getByText('The server can’t be reached. Trying again…').waitFor()
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.getByLabel('Key', { exact: true }).waitFor()
    const detail = 'Keys can not be checked at the moment.'
    await page.route('**/api/session', route =>
      route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: JSON.stringify({ detail }),
      }),
    )
    await enterKey(page, adminKey)
    await page.getByRole('alert').getByText(detail).waitFor()
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Actions for first' }).waitFor()
  })

  it('offers what the key allows, and nothing else', async () => {
    const { page: reader, incidents } = await signedIn(['links:read'])
    await reader.locator('.link-rows > li').nth(1).waitFor()
    expect(await reader.getByLabel('Long URL').count()).toBe(0)
    expect(await reader.getByRole('link', { name: 'Overview' }).count()).toBe(0)
    expect(await reader.getByLabel('Sort by').count()).toBe(0)
    expect(await reader.getByText(/visits/).count()).toBe(0)
    await reader.getByRole('button', { name: 'Actions for first' }).click()
    expect(await reader.getByRole('menuitem').allTextContents()).toEqual(['History…'])
    await reader.keyboard.press('Escape')
    await reader.getByRole('button', { name: 'Signed in as' }).click()
    expect(await reader.getByRole('menuitem').allTextContents()).toEqual(['Sign out'])
    await reader.goto(`${origin}/?link=first`)
    await reader.getByText('leads to').waitFor()
    expect(await reader.locator('.cards, .breakdown').count()).toBe(0)
    await reader.goto(`${origin}/?view=keys`)
    await reader.getByText('Your key doesn’t allow this page.').waitFor()

    const { page: analyst, incidents: others } = await signedIn(['stats:read'], { path: '/?link=first' })
    await analyst.locator('.cards dd').first().waitFor()
    expect(await analyst.getByRole('button', { name: 'Actions for first' }).count()).toBe(0)
    await analyst.goto(`${origin}/?search=fir`)
    await analyst.locator('.link-rows > li').filter({ hasText: '/first' }).waitFor()
    expect(await analyst.getByLabel('Sort by').locator('option').first().textContent()).toBe('Most visits')
    expect(await analyst.getByLabel('Long URL').count()).toBe(0)
    expect([...incidents, ...others]).toEqual([])
  })

  it('where anybody may shorten, it creates links without a key, and shows no others', async () => {
    const { origin: open } = await startApi({
      ...dashboard.installation,
      env: { ...dashboard.installation.env, PUBLIC_SHORTEN: 'true' },
    })
    const { page, incidents } = await openPage(dashboard.browser, open)
    await page.getByLabel('Key', { exact: true }).waitFor()
    expect(await page.locator(':focus').count()).toBe(0)
    await page.getByLabel('Long URL').fill('https://example.com/by-anybody')
    await page.getByRole('button', { name: 'Shorten' }).click()
    const created = page.getByRole('region', { name: 'Your new link' })
    await created.getByText('https://example.com/by-anybody').waitFor()
    expect(await created.getByRole('link', { name: 'Watch its visits' }).count()).toBe(0)
    expect(await page.locator('.link-rows').count()).toBe(0)
    await enterKey(page, adminKey)
    await page.locator('.link-rows > li').first().getByText('example.com/by-anybody').waitFor()
    expect(incidents).toEqual([])
  })

  it('a session that ends in the middle of work is renewed without losing what was typed', async () => {
    const { page, id, incidents } = await signedIn(['links:write'], { name: 'Bob' })
    await page.getByRole('button', { name: 'Actions for first' }).click()
    await page.getByRole('menuitem', { name: 'Edit…' }).click()
    const edit = page.getByRole('dialog', { name: 'Edit /first' })
    await edit.getByLabel('Title').fill('Typed before the session ended')
    await dashboard.pool.query(
      `WITH ended AS (DELETE FROM sessions WHERE key_id = $1) SELECT pg_notify('hopcount_keys', '')`,
      [id],
    )
    const again = page.getByRole('dialog', { name: 'Your session has ended' })
    await again.waitFor()
    const { key } = await makeKey(dashboard.pool, ['links:write'], { name: 'Bob' })
    await again.getByLabel('Key', { exact: true }).fill(key)
    await page.keyboard.press('Enter')
    await again.waitFor({ state: 'detached' })
    expect(await edit.getByLabel('Title').inputValue()).toBe('Typed before the session ended')
    await edit.getByRole('button', { name: 'Save' }).click()
    await page.locator('.row-title').getByText('Typed before the session ended').waitFor()

    // A revoked key ends its session, too. Whoever gives up sees nothing more.
    const { rows } = await dashboard.pool.query<{ id: number }>(
      `SELECT id FROM keys WHERE name = 'Bob' AND id <> $1`,
      [id],
    )
    await revoke(dashboard.pool, rows[0]?.id ?? 0)
    await again.waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
    expect(await page.getByText('/first').count()).toBe(0)
    expect(incidents).toEqual([])
  })

  it('an administrator creates a key, which is shown once, and revokes it', async () => {
    const { page, incidents } = await signedIn(['admin'], { name: 'Root' })
    await page.getByRole('button', { name: 'Signed in as Root' }).click()
    await page.getByRole('menuitem', { name: 'Keys' }).click()
    await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor()
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByText('Please enter a name.').waitFor()
    await waitForFocus(page.getByLabel('Name'))
    await page.getByLabel('Name').fill('Newsletter')
    await page.getByLabel('see statistics').uncheck()
    await page.getByLabel('Requests per minute').fill('many')
    await page.keyboard.press('Enter')
    await page.getByText('Please enter a whole number, or nothing.').waitFor()
    await page.getByLabel('Requests per minute').fill('1,000')
    await page.keyboard.press('Enter')
    const shown = page.getByRole('region', { name: 'Your new key' })
    await shown.getByText('it is not shown again').waitFor()
    await waitForFocus(shown.getByRole('button', { name: 'Copy key' }))
    await page.keyboard.press('Enter')
    const key = (await shown.locator('.secret').textContent()) ?? ''
    await shown.getByRole('button', { name: 'Copied' }).or(shown.getByText('Copied')).first().waitFor()
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(key)
    const listed = page.locator('.keys-list > li').filter({ hasText: 'Newsletter' })
    await listed.getByText('links:write, 1,000 requests per minute').waitFor()
    await shown.getByRole('button', { name: 'Hide it' }).click()
    expect(await page.content()).not.toContain(key)
    const status = async () =>
      (await fetch(`${origin}/api/links`, { headers: { authorization: `Bearer ${key}` } })).status
    expect(await status()).toBe(200)

    await page.setViewportSize(phone)
    expect(await overflowOf(page)).toBe(0)
    await listed.getByRole('button', { name: 'Revoke Newsletter…' }).click()
    await page
      .getByRole('dialog', { name: 'Revoke this key?' })
      .getByRole('button', { name: 'Cancel' })
      .click()
    expect(await status()).toBe(200)
    await listed.getByRole('button', { name: 'Revoke Newsletter…' }).click()
    await page
      .getByRole('dialog', { name: 'Revoke this key?' })
      .getByRole('button', { name: 'Revoke', exact: true })
      .click()
    await page.getByRole('status').getByText('The key Newsletter is revoked.').waitFor()
    await listed.getByText('Revoked', { exact: true }).waitFor()
    await waitForFocus(page.getByRole('heading', { name: 'All keys' }))
    expect(await status()).toBe(401)
    expect(incidents).toEqual([])
  })

  it('the audit says who changed what, page by page', async () => {
    for (let n = 1; n <= 55; n++) await callApi('PATCH', '/api/links/second', { title: `Title ${n}` })
    const { page, incidents } = await signedIn(['admin'], { path: '/?view=audit', name: 'Auditor' })
    const entries = page.locator('.history > li')
    const newest = entries.filter({ hasText: 'Title 55' })
    await newest.waitFor()
    expect(await newest.textContent()).toMatch(
      /^Changed \/second .*Ann through the API.*from Title 54 to Title 55$/,
    )
    expect(await entries.count()).toBe(50)
    expect(await page.content()).not.toContain(adminKey)
    await page.getByRole('link', { name: 'Older' }).click()
    await entries.filter({ hasText: 'Created the key Ann' }).waitFor()
    expect(await newest.count()).toBe(0)
    await page.getByRole('link', { name: 'Newest' }).click()
    await newest.getByRole('link', { name: '/second' }).click()
    await page.getByRole('heading', { level: 1, name: '/second' }).waitFor()
    expect(incidents).toEqual([])
  })
})

async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('Key', { exact: true }).fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
