import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { nightlyTest } from '../support/nightly.ts'
import { waitUntil } from '../support/wait-until.ts'
import { browserAvailable } from './chromium.ts'
import { ask, openPage, overflowOf, phone, waitForFocus } from './open-page.ts'
import { recordVisits, visitsAt } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const longTarget = `https://example.com/${'very-long/'.repeat(40)}?utm_campaign=needle`

describe.skipIf(!browserAvailable())('a list of links', () => {
  let dashboard: RunningDashboard
  let origin: string
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    origin = dashboard.origin
    for (let n = 1; n <= 30; n++) await shorten(origin, { slug: `old-${n}` })
    await shorten(origin, { slug: 'visited' })
    await recordVisits(dashboard.pool, 'visited', visitsAt([Date.now() - 60_000]))
    await shorten(origin, { slug: 'far', long_url: longTarget, title: 'Far away 🌍 בסדר' })
  }, 120_000)

  async function createElsewhere(page: Page, slug: string): Promise<void> {
    await shorten(origin, { slug })
    await readAgain(page)
  }

  it('a new link is the first row, marked as new, also after its report was opened', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    await create(page, 'brand-new')
    const first = rowsOf(page).first()
    await first.getByText('New', { exact: true }).waitFor()
    expect(await first.locator('.slug').textContent()).toBe('/brand-new')

    await first.getByRole('link', { name: '/brand-new' }).click()
    await page.getByRole('heading', { level: 1, name: '/brand-new' }).waitFor()
    await page.goBack()
    await first.getByText('New', { exact: true }).waitFor()
    await create(page, 'newer-still')
    await first.getByRole('link', { name: '/newer-still' }).waitFor()
    expect(await page.getByText('New', { exact: true }).count()).toBe(1)
    expect(await page.getByText('is not in this list').count()).toBe(0)
    expect(incidents).toEqual([])
  })

  it('what is shown of the new link follows it: its target, and that it is deleted', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    await create(page, 'short-lived')
    const card = page.getByRole('region', { name: 'Your new link' })
    const choose = async (action: string) => {
      await page.getByRole('button', { name: 'Actions for short-lived' }).click()
      await page.getByRole('menuitem', { name: action }).click()
    }
    await choose('Edit…')
    await page.getByRole('dialog').getByLabel('Long URL').fill('https://example.com/elsewhere')
    await page.getByRole('button', { name: 'Save' }).click()
    await card.getByRole('link', { name: 'https://example.com/elsewhere' }).waitFor()
    await choose('Delete…')
    await page.getByRole('dialog').getByRole('textbox').fill('short-lived')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await card.waitFor({ state: 'detached' })
    await rowsOf(page).filter({ hasText: '/short-lived' }).waitFor({ state: 'detached' })
    expect(await page.getByText('is not in this list').count()).toBe(0)
    expect(incidents).toEqual([])
  })

  nightlyTest('a list that does not show the new link says so, and leads to it', async () => {
    const lists = ['after=9&page=2', 'search=old', 'status=disabled']
    for (const [n, query] of lists.entries()) {
      const { page, incidents } = await openPage(dashboard.browser, `${origin}/?${query}`)
      await page.locator('.link-rows > li, .empty').first().waitFor()
      await create(page, `elsewhere-${n}`)
      const hint = page.getByRole('status').filter({ hasText: `/elsewhere-${n} is not in this list.` })
      await hint.getByRole('link', { name: 'Show the newest links' }).click()
      await rowsOf(page)
        .first()
        .getByRole('link', { name: `/elsewhere-${n}` })
        .waitFor()
      expect(page.url()).toBe(`${origin}/`)
      await hint.waitFor({ state: 'detached' })
      expect(incidents).toEqual([])
      await page.context().close()
    }
  })

  it('no typed character is lost while the list follows', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    await rowsOf(page).first().waitFor()
    // Types one more character at the moment when the search is put into the address.
    await page.evaluate(`
      {
        const replace = history.replaceState.bind(history)
        const field = document.querySelector('input[type=search]')
        history.replaceState = (...entry) => {
          history.replaceState = replace
          replace(...entry)
          queueMicrotask(() => {
            field.setRangeText('-1', 3, 3, 'end')
            field.dispatchEvent(new Event('input', { bubbles: true }))
          })
        }
      }`)
    const field = page.getByLabel('Search links')
    await field.fill('old')
    await page.waitForURL('**/?search=old-1')
    expect(await field.inputValue()).toBe('old-1')
    await waitUntil(async () => (await rowsOf(page).count()) === 11, { what: 'old-1 and old-10 to old-19' })

    // The back button still changes the field.
    await page.getByRole('link', { name: '/old-11' }).click()
    await page.getByRole('heading', { level: 1, name: '/old-11' }).waitFor()
    expect(await field.inputValue()).toBe('')
    await page.goBack()
    await waitUntil(async () => (await field.inputValue()) === 'old-1', { what: 'the search is back' })
    expect(incidents).toEqual([])
  })

  it('rows stay until those of the next search are there, and a search that is outdated is aborted', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    await rowsOf(page).first().waitFor()
    await page.evaluate(`
      window.counts = new Set()
      new MutationObserver(() => window.counts.add(document.querySelectorAll('.link-rows > li').length))
        .observe(document.querySelector('main'), { childList: true, subtree: true })`)
    // There is no response to this one.
    await page.route(/search=old(&|$)/, () => {})
    const [hanging, aborted] = ['request', 'requestfailed'].map(event =>
      page.waitForEvent(event as 'request', { predicate: request => /search=old(&|$)/.test(request.url()) }),
    )
    await page.getByLabel('Search links').fill('old')
    await hanging
    expect(await rowsOf(page).count()).toBe(25)
    await page.getByLabel('Search links').fill('old-1')
    await aborted
    await page.getByRole('heading', { name: 'Links (11)' }).waitFor()
    expect(await page.evaluate<number[]>('[...window.counts].sort()')).toEqual([11, 25])
    expect(await page.locator('.placeholder').count()).toBe(0)

    const long = `https://example.com/${'a'.repeat(2_000)}`
    await page.getByLabel('Search links').fill(long)
    const chip = page.locator('.chip')
    await chip.filter({ hasText: 'example.com' }).waitFor()
    expect((await chip.boundingBox())?.height).toBeLessThan(80)
    expect(await chip.getAttribute('title')).toBe(long)
    expect(await overflowOf(page)).toBe(0)
    expect(incidents).toEqual([])
  })

  it('follows a search that is typed on a report, and keeps the focus in its field', async () => {
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?link=visited`)
    await page.getByRole('heading', { level: 1, name: '/visited' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('needle')
    await page.getByRole('heading', { name: 'Links (1)' }).waitFor()
    expect(await page.locator('.slug').allTextContents()).toEqual(['/far'])
    await waitForFocus(page.getByLabel('Search links'))
    await page.goBack()
    await page.getByRole('heading', { level: 1, name: '/visited' }).waitFor()
    expect(incidents).toEqual([])
  })

  it('marks what a search has found, in name, title and target, and unfolds a target for it', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    const marks = rowsOf(page).filter({ hasText: '/far' }).locator('mark')
    for (const [search, marked] of [
      ['FAR', ['far', 'Far']],
      ['far away 🌍', ['Far away 🌍']],
      ['/far', ['/far']],
      ['=NEEDLE', ['=needle']],
      [`${origin}/far`, ['far']],
    ] as const) {
      await page.getByLabel('Search links').fill(search)
      await waitUntil(async () => (await marks.allTextContents()).join() === marked.join(), {
        what: `${search} is marked`,
      })
    }
    await page.getByLabel('Search links').fill('.*')
    await page.getByText('No link matches.').waitFor()
    expect(incidents).toEqual([])
  })

  it('a long target is folded, and can be read in full by keyboard and on a phone', async () => {
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=far`, {
      viewport: phone,
    })
    const target = page.locator('.target')
    await target.getByRole('button', { name: 'Show all of the target of far' }).focus()
    expect(await target.textContent()).not.toContain('needle')
    await page.keyboard.press('Enter')
    await target.getByText('utm_campaign=needle').waitFor()
    expect(await overflowOf(page)).toBe(0)
    await waitForFocus(target.getByRole('button', { name: 'Show less of the target of far' }))
    await page.keyboard.press('Enter')
    await target.getByText('needle').waitFor({ state: 'detached' })
    expect(page.url()).toBe(`${origin}/?search=far`)
    expect(incidents).toEqual([])
  })

  it('rows stay under the pointer while others come, also for a dialog, and are updated when it leaves', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    const rows = rowsOf(page)
    await rows.nth(24).waitFor()
    const slugs = await page.locator('.slug').allTextContents()
    await rows.nth(2).hover()
    await createElsewhere(page, 'under-the-pointer')
    await page.getByText('The list has changed.').waitFor()
    expect(await page.locator('.slug').allTextContents()).toEqual(slugs)
    // Clicks where the pointer is.
    await page.mouse.down()
    await page.mouse.up()
    await page.getByRole('heading', { level: 1, name: slugs[2] ?? '', exact: true }).waitFor()
    await page.goBack()
    await page.mouse.move(1, 1)
    await rows.first().getByRole('link', { name: '/under-the-pointer' }).waitFor()

    // The last row would leave the page, and its dialog with it.
    const last = (await page.locator('.slug').last().textContent())?.slice(1)
    await page.getByRole('button', { name: `QR code of ${last}`, exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await createElsewhere(page, 'under-a-dialog')
    await page.getByText('The list has changed.').waitFor()
    expect(await page.getByRole('dialog', { name: `QR code of ${last}` }).isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    await rows.first().getByRole('link', { name: '/under-a-dialog' }).waitFor()
    await waitForFocus(page.getByRole('button', { name: `QR code of ${last}`, exact: true }))
    expect(incidents).toEqual([])
  })

  it('neither scroll position nor focus changes when rows come or move', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    const rows = rowsOf(page)
    await rows.nth(14).scrollIntoViewIfNeeded()
    await page.mouse.move(1, 1)
    const link = page.locator('.slug').nth(14)
    const [name, top] = [await link.textContent(), (await link.boundingBox())?.y]
    await createElsewhere(page, 'far-above')
    await waitUntil(async () => (await page.locator('.slug').nth(15).textContent()) === name, {
      what: 'the new row is above',
    })
    expect((await page.locator('.slug').nth(15).boundingBox())?.y).toBe(top)

    // The last row has the focus, and falls off the page.
    const last = page.locator('.slug').last()
    const lastName = (await last.textContent()) ?? ''
    await last.focus()
    await createElsewhere(page, 'pushes-one-off')
    await rows.first().getByRole('link', { name: '/pushes-one-off' }).waitFor()
    await waitForFocus(page.getByRole('link', { name: lastName, exact: true }))

    await page.goto(`${origin}/?sort=visits`)
    await page.getByRole('link', { name: '/visited' }).waitFor()
    const copy = page.getByRole('button', { name: 'Copy the short link visited' })
    await copy.focus()
    await shorten(origin, { slug: 'overtakes' })
    const now = Date.now()
    await recordVisits(dashboard.pool, 'overtakes', visitsAt([now - 3_000, now - 2_000]))
    await readAgain(page)
    await rows.first().getByRole('link', { name: '/overtakes' }).waitFor()
    await waitForFocus(copy)
    await recordVisits(dashboard.pool, 'visited', visitsAt([now - 3_000, now - 2_000]))
    await readAgain(page)
    await rows.first().getByRole('link', { name: '/visited' }).waitFor()
    await waitForFocus(copy)
    expect(incidents).toEqual([])
  })

  it('Previous and Next lead through every link, also while links are created, and the heading counts them', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    const slugs = () => page.locator('.slug').allTextContents()
    const pages = page.getByRole('navigation', { name: 'Pages of the list' })
    const go = (name: string) => pages.getByRole('link', { name, exact: true }).click()
    const all = await ask<{ slug: string }[]>(`${origin}/api/links?limit=100`)
    const listed = all.map(({ slug }) => `/${slug}`)
    const shows = (from: number, what: string) =>
      waitUntil(async () => (await slugs()).join() === listed.slice(from, from + 25).join(), { what })
    await shows(0, 'the first 25 links')
    await page.getByRole('heading', { name: `Links (${listed.length})` }).waitFor()
    expect(await pages.getByRole('link').allTextContents()).toEqual(['Next'])

    await go('Next')
    await shows(25, 'the second page')
    await pages.getByText('Page 2').waitFor()
    await waitForFocus(page.getByRole('heading', { name: /^Links/ }))
    await createElsewhere(page, 'meanwhile')
    await page.getByRole('heading', { name: `Links (${listed.length + 1})` }).waitFor()
    await shows(25, 'the second page, as it was')
    const second = page.url()
    await go('Previous')
    // As before, with the new link on a page before it.
    await shows(0, 'the first 25 links again')
    await go('Previous')
    await waitUntil(async () => (await slugs())[0] === '/meanwhile', { what: 'the new link' })
    await page.waitForURL(`${origin}/`)
    expect(await pages.getByText('Page').count()).toBe(0)

    await page.goto(second)
    await shows(25, 'the second page, from its address')
    await page.getByLabel('Search links').fill('old-1')
    await page.getByRole('heading', { name: 'Links (11)' }).waitFor()
    expect(page.url()).toBe(`${origin}/?search=old-1`)
    expect(await pages.getByRole('link').count()).toBe(0)
    expect(incidents).toEqual([])
  })

  it('every list says in words which links do not redirect, and why', async () => {
    const { pool, browser } = dashboard
    const states = {
      'is-off': ['Disabled', { disabled: true }],
      'is-early': ['Not started yet', { valid_from: '2099-01-01T00:00:00Z' }],
      'is-late': ['Expired', {}],
      'is-used-up': ['Visit limit reached', { max_visits: 2 }],
    } as const
    for (const [slug, [, fields]] of Object.entries(states)) {
      await shorten(origin, { slug, ...fields })
      await recordVisits(
        pool,
        slug,
        visitsAt([Date.now() - 60_000, Date.now() - 50_000, Date.now() - 40_000]),
      )
    }
    await pool.query("UPDATE links SET expires_at = now() - interval '1 minute' WHERE slug = 'is-late'")
    const { page, incidents } = await openPage(browser, origin)
    for (const query of ['', '?sort=visits&search=is-', '?view=overview']) {
      await page.goto(`${origin}/${query}`)
      for (const [slug, [words]] of Object.entries(states))
        await page.locator('.link-rows > li, .links tr').filter({ hasText: slug }).getByText(words).waitFor()
    }
    expect(incidents).toEqual([])
  })

  it('a link without visits says so in every order', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    for (const sort of ['newest', 'visits', 'uniques', 'last_visit', 'growth&window=7d']) {
      await page.goto(`${origin}/?sort=${sort}&search=old-30`)
      const count = rowsOf(page).filter({ hasText: '/old-30' }).locator('.link-count')
      await waitUntil(async () => (await count.textContent()) === 'no visits yet', {
        what: `${sort} says so`,
      })
    }
    expect(incidents).toEqual([])
  })

  it('a search that has looked at the newest links only does not say that there is none', async () => {
    const { page, incidents } = await openPage(dashboard.browser, origin)
    await page.route('**/api/links?*search=rare*', route =>
      route.request().url().includes('after=')
        ? route.fulfill({ json: [], headers: { 'x-total-count': '0', 'x-total-relation': 'eq' } })
        : route.fulfill({
            json: [],
            headers: {
              link: '</api/links?search=rare&after=7>; rel="next"',
              'x-total-count': '0',
              'x-total-relation': 'gte',
            },
          }),
    )
    await page.getByLabel('Search links').fill('rare')
    await page.getByText('None found so far.').waitFor()
    expect(await page.locator('#links').textContent()).toBe('Links ')
    await page.getByRole('link', { name: 'Next', exact: true }).click()
    await page.getByText('There are no more links.').waitFor()
    expect(incidents).toEqual([])
  })

  it('offers to create what a search has not found', async () => {
    const { page, incidents } = await openPage(dashboard.browser, `${origin}/?search=not-yet`)
    await page.getByRole('button', { name: 'Create the link /not-yet' }).click()
    await waitForFocus(page.getByLabel('Long URL'))
    expect(await page.getByLabel('Short name').inputValue()).toBe('not-yet')
    await page.keyboard.type('https://example.com/')
    await page.keyboard.press('Enter')
    await rowsOf(page).filter({ hasText: '/not-yet' }).waitFor()

    await page.getByLabel('Search links').fill(`${origin}/misread`)
    await page.getByRole('button', { name: 'Create the link /misread' }).waitFor()
    await page.getByLabel('Search links').fill('shop.example/sale?a=1')
    await page.getByRole('button', { name: 'Shorten this URL' }).click()
    await waitForFocus(page.getByLabel('Short name'))
    expect(await page.getByLabel('Long URL').inputValue()).toBe('shop.example/sale?a=1')
    await page.getByLabel('Search links').fill('two words')
    await page.getByText('No link matches.').waitFor()
    await page.getByRole('button', { name: 'Shorten this URL' }).waitFor({ state: 'detached' })
    expect(incidents).toEqual([])
  })
})

function rowsOf(page: Page) {
  return page.locator('.link-rows > li')
}

/** The list is read now rather than some seconds later. */
async function readAgain(page: Page): Promise<void> {
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
}

async function create(page: Page, slug: string): Promise<void> {
  await page.getByLabel('Long URL').fill('https://example.com/')
  await page.getByLabel('Short name').fill(slug)
  await page.getByRole('button', { name: 'Shorten' }).click()
  await page.getByRole('region', { name: 'Your new link' }).getByText(`/${slug}`).first().waitFor()
}
