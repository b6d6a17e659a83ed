import type { Pool } from 'pg'
import type { Browser } from 'playwright-core'
import type { Installation } from '../support/hopcount.ts'
import { openPool, startApi, startWorker } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { buildDashboard, openBrowser } from './chromium.ts'

export interface RunningDashboard {
  origin: string
  browser: Browser
  pool: Pool
  installation: Installation
}

/** API and worker on a database of their own, the page built, and a browser. */
export async function startDashboard(
  options: { worker?: boolean; env?: Record<string, string> } = {},
): Promise<RunningDashboard> {
  buildDashboard()
  const { env } = options
  const installation = { databaseUrl: (await createTestDatabase()).url, ...(env && { env }) }
  const [api, browser] = await Promise.all([startApi(installation), openBrowser()])
  if (options.worker ?? true) await startWorker(installation)
  return { origin: api.origin, browser, pool: openPool(installation.databaseUrl), installation }
}
