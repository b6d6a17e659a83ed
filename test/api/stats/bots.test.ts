/** Bots by name and by purpose. */
import { beforeAll, expect, test } from 'vitest'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import { openVisitKnowledge } from '../../../apps/worker/recording/visit-knowledge.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool } from '../../support/hopcount.ts'
import { recordBatches } from '../../support/record-visits.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { makeLinks, startReportingApi } from './counted-visits.ts'

let api: RunningApi

beforeAll(async () => {
  const { url } = await createTestDatabase()
  const pool = openPool(url)
  const linkId = (await makeLinks(pool, ['one'])).get('one') ?? 0
  const userAgents = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)',
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'SomethingNewBot/0.1 (+https://bot.example)',
  ]
  const visits = userAgents.map(userAgent => ({
    linkId,
    visitedAt: Date.now(),
    referrer: undefined,
    userAgent,
  }))
  await recordBatches(pool, await openVisitKnowledge(pool), [{ producerId: newProducerId(), seq: 1, visits }])
  api = await startReportingApi(url)
})

async function report(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${api.origin}/stats/${path}`)
  expect(response.status).toBe(200)
  return response.json() as Promise<Record<string, unknown>>
}

const bots = (value: string, visits: number) => ({ value, visits, humans: 0 })
const humans = { value: '', visits: 3, humans: 3 }

test.each(['one', 'overall'])(
  'bots and previews of %s are counted by name and by group, with humans as the empty value',
  async subject => {
    const { breakdowns } = await report(`${subject}/breakdowns?dimension=bot&dimension=bot_group`)
    expect(breakdowns).toEqual({
      bot: [humans, bots('Googlebot', 2), bots('Other', 1), bots('Slack preview', 1), bots('Yahoo', 1)],
      bot_group: [humans, bots('search', 3), bots('other', 1), bots('preview', 1)],
    })
  },
)

test.each([
  ['bot=Googlebot', { visits: 2, bots: 2 }],
  ['bot_group=search', { visits: 3, bots: 3 }],
  ['bot_group=search&bot=Yahoo', { visits: 1, bots: 1 }],
  ['bot=', { visits: 3, humans: 3 }],
  ['bot=Nobody', { visits: 0 }],
])('visits are filtered by %s', async (filter, counts) => {
  expect(await report(`one/filtered?${filter}`)).toMatchObject(counts)
})
