/** Random visits, recorded as a worker does; the test knows each one and can count them by hand. */
import fc from 'fast-check'
import type { Pool } from 'pg'
import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import { describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'
import { lettersOf } from '../../../apps/shared/letter-codes.ts'
import { describeReferrer } from '../../../apps/shared/sources/describe-referrer.ts'
import { openVisitKnowledge } from '../../../apps/worker/recording/visit-knowledge.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { startApi } from '../../support/hopcount.ts'
import { recordBatches } from '../../support/record-visits.ts'
import { waitUntil } from '../../support/wait-until.ts'

export interface CountedVisit {
  linkId: number
  slug: string
  visitedAt: number
  class: 'human' | 'bot' | 'preview'
  values: Record<
    'referrer' | 'channel' | 'country' | 'browser' | 'os' | 'device' | 'language' | 'bot' | 'bot_group',
    string
  >
}

export interface Counts {
  visits: number
  humans: number
  bots: number
  previews: number
}

export const minuteMs = 60_000
export const quarterMs = 15 * minuteMs
export const hourMs = 4 * quarterMs

const userAgents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
  'curl/8.9.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  undefined,
]
const referrers = [
  undefined,
  'https://www.google.com/',
  'https://news.ycombinator.com/item?id=1',
  'https://t.co/abc',
  'https://mail.google.com/',
  'https://chatgpt.com/',
  'https://blog.example.org/post?a=1',
  'https://www.example.net/',
  'not a url',
]
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.'
/** Texts that occur once get no number and are stored in their visits. */
const onceComing = (start: string) => fc.noBias(fc.nat(1_000_000_000)).map(n => `${start}${n}`)
const languages = [undefined, 'de', 'en-US', 'pt-BR', 'fr']
const addresses = [undefined, '8.8.8.8', '91.198.174.192', '200.160.2.3', '2001:4860:4860::8888', '127.0.0.1']

/** An API process that has finished starting: until then, on a busy machine, it sheds statistics. */
export async function startReportingApi(databaseUrl: string): Promise<RunningApi> {
  const api = await startApi({ databaseUrl })
  await waitUntil(async () => (await fetch(`${api.origin}/stats/overall`)).status === 200, {
    what: 'statistics are served',
  })
  return api
}

/** Inserts links directly, oldest first. */
export async function makeLinks(pool: Pool, slugs: string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ slug: string; id: number }>(
    `INSERT INTO links (slug, long_url) SELECT slug, 'https://example.com/' || slug
     FROM unnest($1::text[]) WITH ORDINALITY AS link (slug, place) ORDER BY place RETURNING slug, id`,
    [slugs],
  )
  return new Map(rows.map(({ slug, id }) => [slug, id]))
}

/** Records a visit by a random visitor at each of these times. */
export async function recordVisits(
  pool: Pool,
  moments: { linkId: number; slug: string; visitedAt: number }[],
): Promise<CountedVisit[]> {
  const traits = fc.sample(
    fc.record({
      userAgent: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...userAgents) },
        onceComing('curl/8.'),
        onceComing(firefox),
      ),
      referrer: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...referrers) },
        onceComing('https://blog.example.org/post?a='),
      ),
      language: fc.constantFrom(...languages),
      address: fc.constantFrom(...addresses),
    }),
    moments.length,
  )
  const knowledge = await openVisitKnowledge(pool)
  const visits = moments.map(({ linkId, visitedAt }, i) => ({
    linkId,
    visitedAt,
    ...{ userAgent: undefined, referrer: undefined },
    ...traits[i],
  }))
  // Several batches, so that rows are updated and texts repeat.
  for (let seq = 1, at = 0; at < visits.length; seq++, at += 1_000)
    await recordBatches(pool, knowledge, [
      { producerId: newProducerId(), seq, visits: visits.slice(at, at + 1_000) },
    ])
  return visits.map((visit, i) => {
    const agent = describeUserAgent(visit.userAgent)
    const source = describeReferrer(visit.referrer)
    return {
      linkId: visit.linkId,
      slug: moments[i]?.slug ?? '',
      visitedAt: visit.visitedAt,
      class: agent.class,
      values: {
        referrer: source.source,
        channel: source.channel,
        country: lettersOf(knowledge.findCountry(visit.address)).toUpperCase(),
        browser: agent.browser,
        os: agent.os,
        device: agent.device,
        language: visit.language?.slice(0, 2) ?? '',
        bot: agent.bot,
        bot_group: agent.botGroup,
      },
    }
  })
}

/**
 * Sets the unique visitors of each day: visitors are hashed with the day's salt, which past days don't have. Any number
 * up to the visits by humans is possible.
 */
export async function drawUniques(pool: Pool): Promise<void> {
  await pool.query(`
    UPDATE link_days SET uniques = floor((visits - bots - previews) * random()) WHERE link_id <> 0;
    UPDATE link_days AS everyone SET uniques = (SELECT sum(uniques) FROM link_days WHERE link_id <> 0 AND day = everyone.day)
      WHERE link_id = 0;
    UPDATE link_totals AS total SET uniques = (SELECT sum(uniques) FROM link_days AS days WHERE days.link_id = total.link_id)`)
}

export function countVisits(visits: CountedVisit[]): Counts {
  const of = (wanted: string) => visits.filter(visit => visit.class === wanted).length
  return { visits: visits.length, humans: of('human'), bots: of('bot'), previews: of('preview') }
}

export function between(visits: CountedVisit[], from: number, to: number): CountedVisit[] {
  return visits.filter(({ visitedAt }) => visitedAt >= from && visitedAt < to)
}
