/** `node test/dashboard/screenshots.ts`: both pages in light and dark, to apps/dashboard/screenshots/. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DecodedVisit } from '../../apps/shared/visit-batch.ts'
import type { Random } from '../faults/seeded-random.ts'
import { seededRandom } from '../faults/seeded-random.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openPool, shorten, startApi, startWorker, visit } from '../support/hopcount.ts'
import { startPostgres } from '../support/postgres.ts'
import { root } from '../support/processes.ts'
import { buildDashboard, openBrowser } from './chromium.ts'
import { openPage } from './open-page.ts'
import { recordVisits } from './past-visits.ts'

const folder = join(root, 'apps/dashboard/screenshots')
const dayMs = 24 * 3_600_000
const links = [
  {
    slug: 'spring-letter',
    long_url: 'https://news.example.com/2026/letters/spring?utm_source=letter',
    perDay: 260,
  },
  { slug: 'poster', long_url: 'https://museum.example.org/exhibitions/the-long-way-round', perDay: 120 },
  {
    slug: 'talk',
    long_url: 'https://conference.example.com/talks/counting-things-once/slides.pdf',
    perDay: 64,
  },
  { slug: 'menu', long_url: 'https://bistro.example.net/menu/today', perDay: 41 },
  { slug: 'fK7wTqz', long_url: 'https://shop.example.com/products/kettle-1-7-l?color=green', perDay: 17 },
  { slug: 'survey-26', long_url: 'https://forms.example.org/surveys/2026/how-was-it', perDay: 6 },
]
const referrers = [
  'https://news.example.com/',
  'https://social.example/@hop/1122',
  'https://www.search.example/',
  '',
  '',
]
const userAgents = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0',
]

try {
  await takeScreenshots()
} finally {
  await cleanUp()
}

async function takeScreenshots(): Promise<void> {
  buildDashboard()
  mkdirSync(folder, { recursive: true })
  const { url } = await startPostgres()
  const installation = { databaseUrl: url, env: { PUBLIC_URL: 'https://hop.example' } }
  const { origin } = await startApi(installation)
  await startWorker(installation)
  const pool = openPool(url)
  const random = seededRandom('screenshots')
  for (const link of links) {
    await shorten(origin, { slug: link.slug, long_url: link.long_url })
    await recordVisits(pool, link.slug, pastVisits(link.perDay, random))
  }
  await visit(origin, 'poster', { 'user-agent': userAgents[2] ?? '', referer: 'https://city.example/agenda' })

  const browser = await openBrowser()
  for (const colorScheme of ['light', 'dark'] as const) {
    const take = async (name: string, path: string, options: Parameters<typeof openPage>[2]) => {
      const { page } = await openPage(browser, origin + path, { colorScheme, ...options })
      await page.locator('.link-rows, .time-chart canvas').first().waitFor()
      await page.waitForTimeout(1_500)
      if (name === 'links') {
        await page.getByLabel('Long URL').fill('https://example.com/a/long/way?to=go')
        await page.getByRole('button', { name: 'Shorten' }).click()
        await page.getByRole('region', { name: 'Your new link' }).waitFor()
        await page.getByRole('heading', { level: 1 }).click()
      }
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), fullPage: name === 'links' })
      await page.context().close()
    }
    await take('links', '/', { deviceScaleFactor: 1.5 })
    // Of the visits the first ones are enough: more of them is more of the same.
    await take('link', '/?link=poster', { deviceScaleFactor: 1.5, viewport: { width: 1_100, height: 1_280 } })
  }
}

/** Thirty days with weekends, evenings, and one day when the link went around. */
function pastVisits(perDay: number, random: Random): Omit<DecodedVisit, 'linkId'>[] {
  const now = Date.now()
  const visits: Omit<DecodedVisit, 'linkId'>[] = []
  for (let day = 0; day < 30; day++) {
    const date = new Date(now - day * dayMs)
    const weekend = [0, 6].includes(date.getUTCDay()) ? 0.45 : 1
    const around = day === 11 ? 2.6 : day === 10 ? 1.7 : 1
    const count = Math.round(perDay * weekend * around * (0.8 + 0.4 * random.next()))
    for (let i = 0; i < count; i++) {
      const hour = 8 + 13 * ((random.next() + random.next()) / 2)
      const visitedAt = date.setUTCHours(0, 0, 0, 0) + hour * 3_600_000
      if (visitedAt > now) continue
      visits.push({
        visitedAt: Math.floor(visitedAt),
        referrer: random.pick(referrers) || undefined,
        userAgent: random.pick(userAgents),
      })
    }
  }
  return visits
}
