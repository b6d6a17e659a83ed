import type { Pool } from 'pg'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import type { Random } from '../faults/seeded-random.ts'
import { recordBatches } from '../support/record-visits.ts'

export type PastVisit = Omit<DecodedVisit, 'linkId'>

export const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0'
const userAgents = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Mobile Safari/537.36',
  firefox,
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  'Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
]
const bots = [
  'curl/8.14.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  undefined,
]
const previews = ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'WhatsApp/2.24']
const referrers = [
  'https://news.example.com/2026/11/letter',
  'https://social.example/@hop/1122',
  'https://www.google.com/',
  'https://t.co/abc',
  'https://news.ycombinator.com/item?id=1',
  'https://city.example/agenda',
  undefined,
]
const languages = ['de-DE,de;q=0.9', 'en-US,en', 'en-GB', 'fr', 'pt-BR', 'nl', undefined]
const addresses = ['91.198.174.', '8.8.8.', '200.160.2.', '193.99.144.', '5.9.0.', '81.2.69.', '127.0.0.']

/** Records visits of any time as a worker does: statistics and ledger agree with them. */
export async function recordVisits(pool: Pool, slug: string, visits: PastVisit[]): Promise<void> {
  const { rows } = await pool.query<{ id: number }>('SELECT id FROM links WHERE slug = $1', [slug])
  const linkId = Number(rows[0]?.id)
  await recordBatches(pool, await openVisitKnowledge(pool), [
    { producerId: newProducerId(), seq: 1, visits: visits.map(visit => ({ ...visit, linkId })) },
  ])
}

/** Visits by humans at these times, without a referrer. */
export function visitsAt(times: (number | string)[]): PastVisit[] {
  return times.map(time => ({
    visitedAt: new Date(time).getTime(),
    referrer: undefined,
    userAgent: firefox,
  }))
}

/** A random visit: one in ten is a bot's and one a preview; the others are by humans from various places. */
export function someVisit(visitedAt: number, random: Random): PastVisit {
  const kind = random.next()
  const agents = kind < 0.1 ? bots : kind < 0.2 ? previews : userAgents
  return {
    visitedAt,
    referrer: pickEarly(referrers, random),
    userAgent: pickEarly(agents, random),
    language: pickEarly(languages, random),
    address: `${pickEarly(addresses, random)}${1 + Math.floor(random.next() * 250)}`,
  }
}

/** Those at the front more often. */
function pickEarly<T>(list: T[], random: Random): T {
  return list[Math.floor(random.next() ** 1.7 * list.length)] as T
}
