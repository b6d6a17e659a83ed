import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { shorten } from '../support/hopcount.ts'
import { makeKey } from '../support/keys.ts'
import { isNightly } from '../support/nightly.ts'
import { browserAvailable } from './chromium.ts'
import { openPage, phone } from './open-page.ts'
import { recordVisits, someVisit } from './past-visits.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'
import type { Contrast } from './seen-controls.ts'
import {
  contrastsOfControls,
  contrastsOfTokens,
  movingOf,
  smallTargetsOf,
  unmarkedOf,
} from './seen-controls.ts'

/** WCAG 2.2, 1.4.11: what is needed to recognize a control, its state, or a graph. */
const leastContrast = 3
const drawn = ['--edge', '--accent', '--chart-line', '--chart-before', '--danger', '--warning']
const grounds = ['--surface', '--background', '--sunken']

describe.skipIf(!browserAvailable())('controls are seen and hit', () => {
  let dashboard: RunningDashboard
  let pages: Record<string, string>
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
    const { origin, pool } = dashboard
    for (let n = 1; n <= 12; n++) await shorten(origin, { slug: `link-${n}`, tags: ['press', 'a'] })
    await shorten(origin, { slug: 'disabled', disabled: true })
    await makeKey(pool, ['admin'], { name: 'Press' })
    const random = seededRandom('contrast')
    const now = Date.now()
    await recordVisits(
      pool,
      'link-12',
      Array.from({ length: 900 }, (_, i) => someVisit(now - i * 600_000, random)),
    )
    pages = {
      links: `${origin}/?tag=press`,
      report: `${origin}/?link=link-12&class=human&bots=show`,
      overview: `${origin}/?view=overview&period=custom&from=2026-01-05&to=2026-06-07`,
      keys: `${origin}/?view=keys`,
      ...(isNightly && { table: `${origin}/?link=link-12&show=table`, audit: `${origin}/?view=audit` }),
    }
  }, 120_000)

  async function open(url: string, options: Parameters<typeof openPage>[2]): Promise<Page> {
    const { page } = await openPage(dashboard.browser, url, options)
    await page.locator('.link-rows > li, .breakdown, .keys-list li, .history li').first().waitFor()
    return page
  }

  it('borders, lines, focus rings and symbols have a contrast of 3 in every theme, targets have 24 px, and nothing moves', async () => {
    for (const [name, url] of Object.entries(pages)) {
      const page = await open(url, {})
      const faint: Contrast[] = []
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const controls = await contrastsOfControls(page)
        expect(controls.length).toBeGreaterThan(8)
        const all = [...controls, ...(await contrastsOfTokens(page, drawn, grounds))]
        faint.push(...all.filter(({ contrast }) => contrast < leastContrast))
      }
      await page.emulateMedia({ forcedColors: 'active' })
      const forced = await contrastsOfControls(page)
      faint.push(...forced.filter(({ contrast }) => contrast < leastContrast))
      const unmarked = await unmarkedOf(page)
      await page.emulateMedia({ forcedColors: 'none' })
      const small = await smallTargetsOf(page)
      await page.setViewportSize(phone)
      small.push(...(await smallTargetsOf(page)))
      const moving = await movingOf(page)
      expect({ name, faint, small, unmarked, moving }).toEqual({
        name,
        faint: [],
        small: [],
        unmarked: [],
        moving: [],
      })
      await page.context().close()
    }
  })
})
