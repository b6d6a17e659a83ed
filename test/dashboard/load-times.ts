/**
 * `node test/dashboard/load-times.ts`: how soon each view shows its largest part (LCP), and how much moves meanwhile (CLS), on
 * this machine's network and on Lighthouse's fast 3G. Each is the median of some loads with an empty cache.
 */
import { setTimeout } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { seededRandom } from '../faults/seeded-random.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openPool, shorten, startApi } from '../support/hopcount.ts'
import { startPostgres } from '../support/postgres.ts'
import { buildDashboard, openBrowser } from './chromium.ts'
import { desktop, openPage, phone } from './open-page.ts'
import { recordVisits, someVisit } from './past-visits.ts'

const loads = 5
/** LCP is final when nothing larger has come for a while. */
const settlesMs = 3_000
const bytesPerMbit = 125_000
const networks = {
  unthrottled: undefined,
  'fast 3G': { latency: 150, downloadThroughput: 1.6 * bytesPerMbit, uploadThroughput: 0.75 * bytesPerMbit },
}
const views = { links: '/', overview: '/?view=overview', report: '/?link=measured' }

try {
  await measureLoads()
} finally {
  await cleanUp()
}

async function measureLoads(): Promise<void> {
  buildDashboard()
  const { url } = await startPostgres()
  const { origin } = await startApi({ databaseUrl: url })
  const pool = openPool(url)
  for (let n = 1; n < 40; n++)
    await shorten(origin, { slug: `link-${n}`, title: `Link ${n}`, tags: ['press'] })
  await shorten(origin, { slug: 'measured' })
  const random = seededRandom('load times')
  const visits = Array.from({ length: 5_000 }, (_, i) => someVisit(Date.now() - i * 1_000_000, random))
  await recordVisits(pool, 'measured', visits)
  const browser = await openBrowser()
  // The first loads warm the server up.
  await measure(browser, origin, undefined, desktop)
  for (const [network, conditions] of Object.entries(networks))
    for (const [view, path] of Object.entries(views))
      for (const viewport of [desktop, phone]) {
        const results: { lcp: number; cls: number }[] = []
        for (let load = 0; load < loads; load++)
          results.push(await measure(browser, origin + path, conditions, viewport))
        const [lcp, cls] = (['lcp', 'cls'] as const).map(name => median(results.map(result => result[name])))
        console.log(
          `${network}, ${view}, ${viewport.width} px: LCP ${Math.round(lcp ?? 0)} ms, CLS ${cls?.toFixed(3)}`,
        )
      }
}

async function measure(
  browser: Browser,
  url: string,
  conditions: (typeof networks)['fast 3G'] | undefined,
  viewport: typeof desktop,
): Promise<{ lcp: number; cls: number }> {
  const { page } = await openPage(browser, 'about:blank', { viewport })
  if (conditions !== undefined) {
    const session = await page.context().newCDPSession(page)
    await session.send('Network.emulateNetworkConditions', { offline: false, ...conditions })
  }
  await page.addInitScript(`
    window.measured = { lcp: 0, cls: 0 }
    const observe = (type, see) => new PerformanceObserver(list => list.getEntries().forEach(see)).observe({ type, buffered: true })
    observe('largest-contentful-paint', ({ startTime }) => (measured.lcp = startTime))
    observe('layout-shift', ({ value }) => (measured.cls += value))`)
  await page.goto(url)
  await setTimeout(settlesMs)
  const measured = await page.evaluate<{ lcp: number; cls: number }>('measured')
  await page.context().close()
  return measured
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
