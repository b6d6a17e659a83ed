/** Headers other than the user agent, from the redirect to the statistics. */
import { expect, test } from 'vitest'
import { shorten, startApi, startWorker, waitForVisits } from '../support/hopcount.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import { answerTo, requestBytes } from './requests.ts'

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

test('a browser identified only by its hints is counted by name, and its user agent is shown as sent', async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url, spoolDir: temporaryFolder() }
  const api = await startApi(installation)
  await startWorker(installation)
  const slug = await shorten(api.origin)
  const hints = { 'sec-ch-ua': '"Brave";v="141", "Not?A_Brand";v="8", "Chromium";v="141"' }
  await answerTo(api.port, requestBytes('GET', `/${slug}`, { 'user-agent': chrome, ...hints }))
  await answerTo(api.port, requestBytes('GET', `/${slug}`, { 'user-agent': chrome }))
  const stats = await waitForVisits(api.origin, slug, 2)
  expect(stats.recent).toMatchObject([{ user_agent: chrome }, { user_agent: chrome }])

  const text = async (path: string) => (await fetch(`${api.origin}${path}`)).text()
  await waitUntil(async () => (await fetch(`${api.origin}/stats/${slug}/breakdowns`)).status === 200, {
    what: 'statistics are served',
  })
  const breakdowns = JSON.parse(await text(`/stats/${slug}/breakdowns?dimension=browser`))
  expect(breakdowns.breakdowns.browser).toEqual([
    { value: 'Brave', visits: 1, humans: 1 },
    { value: 'Chrome', visits: 1, humans: 1 },
  ])
  const filtered = JSON.parse(await text(`/stats/${slug}/filtered?browser=Brave`))
  expect(filtered.visits).toBe(1)
  const exported = await text(`/stats/${slug}/export?what=visits&format=csv`)
  expect(exported).toContain(chrome)
  expect(exported).not.toContain('Brave')
})
