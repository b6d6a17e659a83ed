/**
 * Three days of an access log are replayed, and every statistic is what counting its lines gives. The log is made here, in
 * the shape that logs of public sites have: referrers and clients by a power law with a long tail, crawlers, monitoring
 * that asks every few minutes, previews, and a referrer spammer. What a line means is known from how it was made.
 */
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { sumDays } from '../../apps/api/stats/breakdowns/breakdown-queries.ts'
import { breakdownValues, uncertaintyOf } from '../../apps/api/stats/breakdowns/breakdown-values.ts'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { allLinks } from '../../apps/shared/all-links.ts'
import type { Dimension } from '../../apps/shared/breakdowns.ts'
import { dimensions } from '../../apps/shared/breakdowns.ts'
import { databaseOn } from '../../apps/shared/database/query-builder.ts'
import { dayMs, dayNumber } from '../../apps/shared/days.ts'
import type { DecodedVisit } from '../../apps/shared/visits/decode-batch.ts'
import { foldBreakdowns } from '../../apps/worker/maintenance/fold-breakdowns.ts'
import { openVisitKnowledge } from '../../apps/worker/recording/visit-knowledge.ts'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import { openPool } from '../support/hopcount.ts'
import { recordBatches } from '../support/record-visits.ts'
import { createTestDatabase } from '../support/test-database.ts'

interface Client {
  userAgent: string
  class: 'human' | 'bot' | 'preview'
  browser: string
  os: string
  device: string
}

const people: Client[] = [
  {
    userAgent:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    ...{ class: 'human', browser: 'Chrome', os: 'Windows', device: 'desktop' },
  },
  {
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    ...{ class: 'human', browser: 'Safari', os: 'iOS', device: 'mobile' },
  },
  {
    userAgent:
      'Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/567.1.0.52.74;]',
    ...{ class: 'human', browser: 'Facebook', os: 'Android', device: 'mobile' },
  },
  {
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    ...{ class: 'human', browser: 'Firefox', os: 'Linux', device: 'desktop' },
  },
]
const machines: Client[] = [
  {
    userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    ...{ class: 'bot', browser: 'Bot', os: '', device: '' },
  },
  { userAgent: 'curl/8.5.0', ...{ class: 'bot', browser: 'Bot', os: '', device: '' } },
  {
    userAgent: 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    ...{ class: 'preview', browser: 'Link preview', os: '', device: '' },
  },
]
const sources = [
  { referrer: '-', source: '', channel: 'direct' },
  { referrer: 'https://www.google.de/', source: 'Google', channel: 'search' },
  { referrer: 'https://t.co/abc', source: 'X', channel: 'social' },
  { referrer: 'https://mail.google.com/', source: 'Gmail', channel: 'mail' },
  { referrer: 'https://chatgpt.com/', source: 'ChatGPT', channel: 'ai assistant' },
  { referrer: 'https://blog.example.org/post/7?x=1', source: 'blog.example.org', channel: 'other' },
]
const countries = [
  { network: '8.8.8', country: 'US' },
  { network: '81.2.69', country: 'GB' },
  { network: '172.18.0', country: '' },
]

interface Line {
  text: string
  linkId: number
  at: number
  client: Client
  source: string
  channel: string
  country: string
  address: string
}

const days = 3
const linesPerDay = 8_000
/** The last day has begun: the hashes of all but the first are there. */
const firstDay = dayNumber(Date.now()) - days + 1

/** A generator of numbers from 0 to below 1, the same ones each time. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

function makeLog(): Line[] {
  const random = numbers(20_261_126)
  const byPowerLaw = <T>(values: T[]): T => values[Math.floor(random() ** 2.5 * values.length)] as T
  const tail = Array.from({ length: 1_500 }, (_, i) => ({
    referrer: `https://www.site-${i}.example/`,
    source: `site-${i}.example`,
    channel: 'other',
  }))
  const lines: Line[] = []
  for (let i = 0; i < days * linesPerDay; i++) {
    const at = firstDay * dayMs + Math.floor((i / linesPerDay) * dayMs)
    if (at >= Date.now()) break
    const kind = random()
    const client = kind < 0.8 ? byPowerLaw(people) : byPowerLaw(machines)
    const spam = { referrer: `https://casino-${i}.example/`, source: `casino-${i}.example`, channel: 'other' }
    // The spammer comes in the first hours of each day.
    const isSpam = at % dayMs < dayMs / 8 && random() < 0.7
    const { referrer, source, channel } = isSpam
      ? spam
      : random() < 0.85
        ? byPowerLaw(sources)
        : byPowerLaw(tail)
    const { network, country } = byPowerLaw(countries)
    const address = `${network}.${Math.floor(random() ** 2 * 200)}`
    const time = new Date(at).toISOString()
    const text = `${address} - - [${time}] "GET /link-${i % 7} HTTP/1.1" 307 0 "${referrer}" "${client.userAgent}"`
    lines.push({ text, linkId: 1 + (i % 7), at, client, source, channel, country, address })
  }
  return lines
}

/** Of a line in the combined format of Apache and nginx. */
function readLine(text: string): DecodedVisit {
  const [, address, time = '', link, referrer, userAgent] =
    /^(\S+) \S+ \S+ \[([^\]]+)\] "GET \/link-(\d+) [^"]*" \d+ \S+ "([^"]*)" "([^"]*)"$/.exec(text) ?? []
  return {
    linkId: 1 + Number(link),
    visitedAt: Date.parse(time),
    referrer: referrer === '-' ? undefined : referrer,
    userAgent,
    address,
  }
}

let pool: Pool
const log = makeLog()
beforeAll(async () => {
  pool = openPool((await createTestDatabase()).url)
  const knowledge = await openVisitKnowledge(pool)
  const random = numbers(7)
  const producerId = newProducerId()
  for (let next = 0, seq = 1; next < log.length; seq++) {
    const batch = log.slice(next, next + 1 + Math.floor(random() ** 3 * 900))
    next += batch.length
    await recordBatches(pool, knowledge, [
      { producerId, seq, visits: batch.map(line => readLine(line.text)) },
    ])
    if (random() < 0.3) await foldBreakdowns(pool)
  }
}, 120_000)

const valueOfLine: Record<Exclude<Dimension, 'language' | 'bot' | 'bot_group'>, (line: Line) => string> = {
  referrer: line => line.source,
  channel: line => line.channel,
  country: line => line.country,
  browser: line => line.client.browser,
  os: line => line.client.os,
  device: line => line.client.device,
}

function countBy(lines: Line[], of: (line: Line) => string): Map<string, { visits: number; humans: number }> {
  const counts = new Map<string, { visits: number; humans: number }>()
  for (const line of lines) {
    const count = counts.get(of(line)) ?? { visits: 0, humans: 0 }
    count.visits++
    if (line.client.class === 'human') count.humans++
    counts.set(of(line), count)
  }
  return counts
}

test.each([
  [allLinks, firstDay, firstDay],
  [allLinks, firstDay, firstDay + days - 1],
  [3, firstDay + 1, firstDay + 1],
  [3, firstDay, firstDay + days - 1],
])('breakdowns of link %i from day %i to %i are what counting the lines gives', async (linkId, from, to) => {
  const lines = log.filter(
    line =>
      (linkId === allLinks || line.linkId === linkId) &&
      line.at >= from * dayMs &&
      line.at < (to + 1) * dayMs,
  )
  const limit = 100
  const range = { from: new Date(from * dayMs), to: new Date((to + 1) * dayMs) }
  const sums = await sumDays(databaseOn(pool), linkId, range, { named: limit, keys: [] })
  expect(sums.visits).toBe(lines.length)
  const values = breakdownValues(sums.breakdowns)
  for (const dimension of dimensions) {
    if (dimension === 'language' || dimension === 'bot' || dimension === 'bot_group') continue
    const expected = countBy(lines, valueOfLine[dimension])
    const named = values[dimension].filter(({ value }) => value !== '*').slice(0, limit)
    for (const { value, visits, humans } of named)
      expect({ value, visits, humans }).toEqual({ value, ...expected.get(value) })
    const top = [...expected.values()].map(({ visits }) => visits).sort((a, b) => b - a)
    expect(named.map(({ visits }) => visits)).toEqual(top.slice(0, limit))
    expect(values[dimension].reduce((sum, { visits }) => sum + visits, 0)).toBe(lines.length)
  }
  if (from === to) expect(uncertaintyOf(sums.breakdowns, [...dimensions], limit)).toEqual({})
})

test('classes, hours and unique visitors are what counting the lines gives', async () => {
  const { rows } = await pool.query<{ visits: number; bots: number; previews: number; uniques: number }>(
    'SELECT visits, bots, previews, uniques FROM link_days WHERE link_id = 5 ORDER BY day',
  )
  const expected = Array.from({ length: days }, (_, i) => {
    const lines = log.filter(line => line.linkId === 5 && dayNumber(line.at) === firstDay + i)
    const ofClass = (of: Client['class']) => lines.filter(line => line.client.class === of)
    const visitors = new Set(ofClass('human').map(line => `${line.address} ${line.client.userAgent}`))
    // The salt of the day before yesterday is not made for a new installation.
    return {
      visits: lines.length,
      bots: ofClass('bot').length,
      previews: ofClass('preview').length,
      uniques: i === 0 ? 0 : visitors.size,
    }
  }).filter(({ visits }) => visits > 0)
  expect(rows).toEqual(expected)
  const hours = await pool.query<{ hour: Date; visits: number }>(
    `SELECT date_trunc('hour', quarter) AS hour, sum(visits)::int AS visits FROM link_quarters
     WHERE link_id = $1 GROUP BY 1 ORDER BY 1`,
    [allLinks],
  )
  const perHour = countBy(log, line => new Date(Math.floor(line.at / 3_600_000) * 3_600_000).toISOString())
  expect(hours.rows.map(row => [row.hour.toISOString(), row.visits])).toEqual(
    [...perHour].map(([hour, { visits }]) => [hour, visits]),
  )
  expect(await compareCounts(pool)).toEqual([])
})
