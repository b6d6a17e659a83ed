/** `node test/dashboard/screenshots.ts`: each page in light and dark, and at 360 px, to apps/dashboard/screenshots/. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Pool } from 'pg'
import { dayMs } from '../../apps/shared/days.ts'
import type { Random } from '../faults/seeded-random.ts'
import { seededRandom } from '../faults/seeded-random.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openPool, shorten, startApi, startWorker, visit } from '../support/hopcount.ts'
import { makeKey } from '../support/keys.ts'
import { startPostgres } from '../support/postgres.ts'
import { root } from '../support/processes.ts'
import { buildDashboard, openBrowser } from './chromium.ts'
import { desktop, openPage, phone } from './open-page.ts'
import type { PastVisit } from './past-visits.ts'
import { firefox, recordVisits, someVisit } from './past-visits.ts'

const folder = join(root, 'apps/dashboard/screenshots')
const links = [
  {
    slug: 'spring-letter',
    long_url: 'https://news.example.com/2026/letters/spring?utm_source=letter',
    perDay: 260,
    title: 'Spring letter',
    tags: ['letter', 'spring'],
  },
  {
    slug: 'poster',
    long_url: 'https://museum.example.org/exhibitions/the-long-way-round',
    perDay: 120,
    tags: ['print'],
  },
  {
    slug: 'talk',
    long_url: 'https://conference.example.com/talks/counting-things-once/slides.pdf',
    perDay: 64,
  },
  { slug: 'menu', long_url: 'https://bistro.example.net/menu/today', perDay: 41, disabled: true },
  { slug: 'fK7wTqz', long_url: 'https://shop.example.com/products/kettle-1-7-l?color=green', perDay: 17 },
  { slug: 'survey-26', long_url: 'https://forms.example.org/surveys/2026/how-was-it', perDay: 6 },
]
const slugsAskedFor = ['spring-leter', 'poster2', 'menu-today', 'spring-leter', 'spring-leter', 'poster2']

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
    const { perDay, ...body } = link
    await shorten(origin, body)
    await recordVisits(pool, link.slug, pastVisits(perDay, random))
  }
  await drawUniques(pool)
  await makeKey(pool, ['admin'], { name: 'Ann’s laptop' })
  await makeKey(pool, ['links:write'], { name: 'Newsletter', requestsPerMinute: 60 })
  for (const slug of slugsAskedFor) await fetch(`${origin}/${slug}`)
  await visit(origin, 'poster', { 'user-agent': firefox, referer: 'https://city.example/agenda' })
  // Orphans are written out every 5 s.
  await setTimeout(6_000)

  const browser = await openBrowser()
  for (const colorScheme of ['light', 'dark'] as const) {
    const take = async (name: string, path: string, viewport: { width: number; height: number }) => {
      const { page } = await openPage(browser, origin + path, {
        colorScheme,
        deviceScaleFactor: 1.5,
        viewport,
      })
      await page.locator('.link-rows, .time-chart g, .keys-list li').first().waitFor()
      if (/link=|overview/.test(path)) await page.locator('.breakdown').first().waitFor()
      await setTimeout(1_500)
      if (name === 'links') {
        await page.getByLabel('Long URL').fill('https://example.com/a/long/way?to=go')
        await page.getByRole('button', { name: 'Shorten' }).click()
        await page.getByRole('region', { name: 'Your new link' }).waitFor()
        await page.getByRole('heading', { level: 1 }).click()
      }
      if (name === 'edit') {
        await page.getByRole('button', { name: 'Actions for poster' }).click()
        await page.getByRole('menuitem', { name: 'Edit' }).click()
        await page.getByRole('dialog').getByLabel('Title').fill('Poster at the entrance')
      }
      await page.screenshot({
        path: join(folder, `${name}-${colorScheme}.png`),
        fullPage: path === '/' && name !== 'edit',
      })
      await page.context().close()
    }
    await take('links', '/', desktop)
    // Of the visits the first ones are enough: more of them is more of the same.
    const tall = { width: desktop.width, height: 1_700 }
    await take('link', '/?link=poster', tall)
    await take('overview', '/?view=overview&period=week', tall)
    await take('filtered', '/?link=poster&country=DE&device=mobile', tall)
    await take('edit', '/', desktop)
    await take('keys', '/?view=keys', desktop)
    await take('phone-links', '/', phone)
    await take('phone-link', '/?link=poster', { width: phone.width, height: 1_800 })
  }
}

/** Two months with weekends, evenings, and one day when the link went around. */
function pastVisits(perDay: number, random: Random): PastVisit[] {
  const now = Date.now()
  const visits: PastVisit[] = []
  for (let day = 0; day < 60; day++) {
    const date = new Date(now - day * dayMs)
    const weekend = [0, 6].includes(date.getUTCDay()) ? 0.45 : 1
    const around = day === 11 ? 2.6 : day === 10 ? 1.7 : 1
    const growth = day < 30 ? 1 : 0.72
    const count = Math.round(perDay * weekend * around * growth * (0.8 + 0.4 * random.next()))
    for (let i = 0; i < count; i++) {
      const hour = 8 + 13 * ((random.next() + random.next()) / 2)
      const visitedAt = Math.floor(date.setUTCHours(0, 0, 0, 0) + hour * 3_600_000)
      if (visitedAt <= now) visits.push(someVisit(visitedAt, random))
    }
  }
  return visits
}

/** Past days have no salt any more, so unique visitors can't be counted: most humans are assumed to visit once. */
async function drawUniques(pool: Pool): Promise<void> {
  await pool.query(`
    UPDATE link_days SET uniques = round(0.78 * (visits - bots - previews)) WHERE link_id <> 0;
    UPDATE link_days AS everyone SET uniques = (SELECT sum(uniques) FROM link_days WHERE link_id <> 0 AND day = everyone.day)
      WHERE link_id = 0;
    UPDATE link_totals AS total SET uniques = (SELECT sum(uniques) FROM link_days AS days WHERE days.link_id = total.link_id)`)
}
