import { beforeAll, describe, expect, it } from 'vitest'
import { shorten, visit } from '../support/hopcount.ts'
import { browserAvailable } from './chromium.ts'
import { openPage } from './open-page.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

describe.skipIf(!browserAvailable())('the page', () => {
  let dashboard: RunningDashboard
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false })
  })

  it('warns of a proxy whose header is ignored, and of nothing before', async () => {
    const { origin, browser } = dashboard
    const before = await openPage(browser, origin)
    await before.page.getByRole('heading').first().waitFor()
    expect(await before.page.getByText('X-Forwarded-For').count()).toBe(0)
    await visit(origin, await shorten(origin), { 'x-forwarded-for': '8.8.8.8' })
    const after = await openPage(browser, origin)
    await after.page.getByText('X-Forwarded-For from 127.0.0.1 is ignored').waitFor()
    expect(after.incidents).toEqual([])
  })

  it('says that visits are set aside', async () => {
    const { origin, browser, pool } = dashboard
    await pool.query(
      `INSERT INTO set_aside_batches (producer_id, seq, reason) VALUES (gen_random_uuid(), 1, 'a test')`,
    )
    // What an API process has read, it remembers for a second.
    await expect
      .poll(async () => (await fetch(`${origin}/readyz`)).text(), { timeout: 30_000 })
      .toContain('set aside')
    const { page, incidents } = await openPage(browser, origin)
    await page.getByText('Visits are set aside and not counted: 1 batch in the ledger').waitFor()
    expect(incidents).toEqual([])
  })
})
