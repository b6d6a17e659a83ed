/** The page is opened under another address than PUBLIC_URL, which is the only one that it may give out. */
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage } from './open-page.ts'
import { recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const publicUrl = 'https://go.example'
const copied = 'navigator.clipboard.readText()'

describe.skipIf(!browserAvailable())('short URLs begin with PUBLIC_URL', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false, env: { PUBLIC_URL: publicUrl } })
    await shorten(dashboard.origin, { slug: 'spring', long_url: 'https://target.example/offer' })
    await shorten(dashboard.origin, { slug: 'other', long_url: 'https://target.example/spring' })
    await recordVisits(dashboard.pool, 'spring', visitsAt([Date.now() - 60_000]))
  }, 120_000)

  it('in the statistics as in the list', async () => {
    const { origin } = dashboard
    const shortUrl = `${publicUrl}/spring`
    expect(await ask(`${origin}/stats`)).toMatchObject([{ slug: 'spring', short_url: shortUrl }])
    expect(await ask(`${origin}/stats/spring`)).toMatchObject({ slug: 'spring', short_url: shortUrl })
    expect(await ask(`${origin}/api/links/spring`)).toMatchObject({ short_url: shortUrl })
  })

  it('and are found by any of the service’s addresses, with or without a scheme', async () => {
    const { origin } = dashboard
    for (const path of ['/stats', '/api/links'])
      for (const base of [publicUrl, 'http://go.example', 'go.example', 'GO.example', origin, 'hop.example'])
        for (const end of ['', '/', '?utm_source=mail'])
          expect
            .soft(
              await ask(`${origin}${path}?${new URLSearchParams({ search: `${base}/spring${end}` })}`),
              `${path} ${base} ${end}`,
            )
            .toMatchObject([{ slug: 'spring' }])
    expect(await ask(`${origin}/stats?search=${encodeURIComponent('https://go.example/none')}`)).toEqual([])
  })

  it.each(['/?sort=visits', '/', '/?link=spring'])('on the page: %s', async path => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, origin + path, {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const row = path.includes('link=')
      ? page.locator('main')
      : page.getByRole('listitem').filter({ has: page.getByRole('link', { name: '/spring', exact: true }) })
    if (path.includes('link=')) await row.getByRole('link', { name: `${publicUrl}/spring` }).waitFor()
    await row.getByRole('button', { name: /^Copy (the )?short link/ }).click()
    expect(await page.evaluate<string>(copied)).toBe(`${publicUrl}/spring`)
    await row.getByRole('button', { name: /^QR code/ }).click()
    await page.getByRole('img', { name: `QR code of ${publicUrl}/spring` }).waitFor()
    expect(await page.locator('main').textContent()).not.toContain(origin)
    expect(incidents).toEqual([])
  })

  it('in the search field: Enter opens the link, and another site’s URL with the same end does not', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?view=overview`)
    const field = page.getByRole('searchbox', { name: 'Search links' })
    const heading = page.getByRole('heading', { level: 1 })
    for (const text of [`${publicUrl}/spring`, 'go.example/spring/', '/spring', `${origin}/spring?a=1`]) {
      await field.fill(text)
      await field.press('Enter')
      await heading.getByText('/spring', { exact: true }).waitFor()
      await page.getByRole('link', { name: 'Overview' }).click()
      await heading.getByText('Overview').waitFor()
    }
    await field.fill(`${publicUrl}/not-yet`)
    await field.press('Enter')
    await page.getByRole('button', { name: 'Create the link /not-yet' }).waitFor()
    await field.fill('elsewhere.example/spring')
    await field.press('Enter')
    await page.getByText('No link matches').waitFor()
    expect(incidents).toEqual([])
  })
})
