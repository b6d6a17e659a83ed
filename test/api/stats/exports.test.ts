/** Exports: their contents, that no cell is a formula to a spreadsheet, and that they are streamed. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { dayMs } from '../../../apps/shared/days.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { CountedVisit } from './counted-visits.ts'
import { makeLinks, recordVisits, startReportingApi } from './counted-visits.ts'

let api: RunningApi
let pool: Pool
let bigLinkId: number
let visits: CountedVisit[]
const end = Date.now()
const bigVisits = 400_000

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  const links = await makeLinks(pool, ['one', 'two', 'big', 'sums'])
  const moments = ['one', 'two'].flatMap(slug =>
    Array.from({ length: 300 }, (_, i) => ({
      slug,
      linkId: links.get(slug) ?? 0,
      visitedAt: end - 1_000 - i * 4_000_000,
    })),
  )
  visits = await recordVisits(pool, moments)
  bigLinkId = links.get('big') ?? 0
  await pool.query(
    `INSERT INTO visits (link_id, visited_at, referrer, user_agent)
     SELECT $1, now() - n * interval '100 ms', 'https://example.com/' || repeat('x', 100), 'curl/8.9.1' FROM generate_series(1, $2) AS n`,
    [bigLinkId, bigVisits],
  )
  await pool.query(
    `INSERT INTO link_days (link_id, day, visits, bots, previews, uniques)
     SELECT link_id, (visited_at AT TIME ZONE 'UTC')::date, count(*), count(*), 0, 0 FROM visits WHERE link_id = $1 GROUP BY 1, 2`,
    [bigLinkId],
  )
  api = await startReportingApi(url)
}, 120_000)

function ask(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  return fetch(`${api.origin}/stats/${path}?${new URLSearchParams(query)}`, signal ? { signal } : {})
}

const lastDays = { from: new Date(end - 20 * dayMs).toISOString() }

describe('an export', () => {
  test('of visits contains, line by line, the visits that the API lists', async () => {
    for (const of of ['one', 'overall']) {
      const response = await ask(`${of}/export`, { format: 'ndjson', ...lastDays })
      expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
      expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${of}-visits.ndjson"`)
      const lines = (await response.text()).trimEnd().split('\n')
      const exported = lines.map(line => JSON.parse(line)).filter(visit => visit.slug !== 'big')
      const listed: unknown[] = []
      for (let path: string | undefined = `/stats/one/visits?limit=200`; path && of === 'one'; ) {
        const page: Response = await fetch(`${api.origin}${path}`)
        listed.push(...((await page.json()) as unknown[]))
        path = /^<(\/[^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
      }
      if (of === 'one') expect(exported).toEqual(listed)
      else
        expect(exported.map(visit => visit.slug).sort()).toEqual([
          ...Array(300).fill('one'),
          ...Array(300).fill('two'),
        ])
    }
  })

  test('of series and breakdowns contains what the reports show', async () => {
    const series = await (await ask('one/export', { what: 'series', format: 'csv', ...lastDays })).text()
    const report = (await (await ask('one', lastDays)).json()) as { series: Record<string, unknown>[] }
    expect(series).toBe(
      [
        'start,visits,humans,bots,previews,uniques',
        ...report.series.map(bucket => Object.values(bucket).join(',')),
      ]
        .map(line => `${line}\r\n`)
        .join(''),
    )
    const query = { what: 'breakdowns', format: 'ndjson', ...lastDays }
    const lines = (await (await ask('one/export', query)).text()).trimEnd().split('\n')
    const { breakdowns } = (await (await ask('one/breakdowns', { limit: '100', ...lastDays })).json()) as {
      breakdowns: Record<string, object[]>
    }
    expect(lines.map(line => JSON.parse(line))).toEqual(
      Object.entries(breakdowns).flatMap(([dimension, values]) =>
        values.map(value => ({ dimension, ...value })),
      ),
    )
  })

  test('with filters contains the matching visits and their sums', async () => {
    const people = visits.filter(visit => visit.slug === 'one' && visit.class === 'human')
    const { browser, referrer, country, language } = people[0]?.values ?? {}
    const filters: Record<string, string>[] = [
      { class: 'human' },
      { class: 'preview' },
      { browser: browser ?? '' },
      { class: 'human', referrer: referrer ?? '' },
      { country: country ?? '', language: language ?? '' },
      { referrer: '', country: '' },
      { channel: 'mail' },
      { channel: 'direct' },
      { channel: 'social', referrer: 'X' },
    ]
    for (const filter of filters) {
      const passing = visits.filter(
        visit =>
          visit.slug === 'one' &&
          Object.entries(filter).every(
            ([name, wanted]) => ({ ...visit.values, class: visit.class })[name as 'class'] === wanted,
          ),
      )
      const lines = async (what: string) => {
        const response = await ask('one/export', { what, format: 'ndjson', ...lastDays, ...filter })
        expect(response.status).toBe(200)
        const text = await response.text()
        return text === ''
          ? []
          : text
              .trimEnd()
              .split('\n')
              .map(line => JSON.parse(line))
      }
      const exported = await lines('visits')
      expect(exported.map(visit => Date.parse(visit.visited_at))).toEqual(
        passing.map(visit => visit.visitedAt).sort((a, b) => b - a),
      )
      const origins = (of: { source: string; channel: string }[]) =>
        of.map(({ source, channel }) => `${channel} ${source}`).sort()
      expect(origins(exported)).toEqual(
        origins(passing.map(({ values }) => ({ source: values.referrer, channel: values.channel }))),
      )
      const report = (await (await ask('one/filtered', { ...lastDays, ...filter, limit: '100' })).json()) as {
        visits: number
        series: object[]
        breakdowns: Record<string, object[]>
      }
      expect(report.visits).toBe(passing.length)
      expect(await lines('series')).toEqual(report.series)
      expect(await lines('breakdowns')).toEqual(
        Object.entries(report.breakdowns).flatMap(([dimension, values]) =>
          values.map(value => ({ dimension, ...value })),
        ),
      )
    }
  })

  test('with filters is refused for a range that begins before the oldest raw visits', async () => {
    await pool.query(`UPDATE retention SET raw_visits_from = (now() AT TIME ZONE 'UTC')::date - 1`)
    try {
      const response = await ask('one/export', { what: 'series', class: 'human', ...lastDays })
      expect(response.status).toBe(422)
      expect(response.headers.get('content-type')).toContain('application/problem+json')
      expect((await ask('one/export', { what: 'series', ...lastDays })).status).toBe(200)
    } finally {
      await pool.query(`UPDATE retention SET raw_visits_from = '-infinity'`)
    }
  })

  test('without data is a header line', async () => {
    const response = await ask('sums/export', { format: 'csv' })
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(await response.text()).toBe(
      'visited_at,referrer,user_agent,country,language,class,source,channel\r\n',
    )
  })

  test('has an apostrophe before what a spreadsheet would treat as a formula', async () => {
    const links = await makeLinks(pool, ['hostile'])
    const texts = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\r=1', 'a,"b"\n=c', 'x\ny', 'plain']
    await pool.query(
      `INSERT INTO visits (link_id, visited_at, referrer, user_agent)
       SELECT $1, $2::timestamptz - n * interval '1 s', text, text FROM unnest($3::text[]) WITH ORDINALITY AS hostile (text, n)`,
      [links.get('hostile'), new Date(end), texts],
    )
    await pool.query(
      `INSERT INTO link_days VALUES ($1, $2::timestamptz AT TIME ZONE 'UTC', 8, 8, 0, 0), ($1, ($2::timestamptz - interval '8 s') AT TIME ZONE 'UTC', 8, 8, 0, 0) ON CONFLICT DO NOTHING`,
      [links.get('hostile'), new Date(end)],
    )
    const csv = await (await ask('hostile/export', { format: 'csv' })).text()
    const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
    for (const text of texts.slice(0, 6)) expect(csv).toContain(`,${cell(`'${text}`)},${cell(`'${text}`)},`)
    expect(csv).toContain(`,${cell('a,"b"\n=c')},`)
    expect(csv).toContain(',"x\ny","x\ny",')
    expect(csv).toContain(',plain,plain,')
    const ndjson = await (await ask('hostile/export', { format: 'ndjson' })).text()
    expect(
      ndjson
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).referrer),
    ).toEqual(texts)
  })

  test('of many visits takes little memory, and returns its connection to the pool', async () => {
    const before = memoryOfApi()
    let highest = before
    const response = await ask('big/export', { format: 'ndjson' })
    let lines = 0
    for await (const chunk of response.body ?? []) {
      for (const byte of chunk as Uint8Array) if (byte === 10) lines++
      highest = Math.max(highest, memoryOfApi())
    }
    expect(lines).toBe(bigVisits)
    expect(highest - before).toBeLessThan(120)
    await waitUntil(async () => (await busyExports()) === 0, { what: 'no export holds a connection' })
  }, 120_000)

  test('whose database connection is lost breaks off, and does not look complete', async () => {
    for (const moment of ['at once', 'later']) {
      const response = await ask('big/export', { format: 'ndjson' })
      const reader = response.body?.getReader()
      await reader?.read()
      // The client stops reading: the process waits for it, and nothing waits for the database.
      if (moment === 'later') await sleep(300)
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'hopcount exports' AND datname = current_database()`,
      )
      await sleep(100)
      const readToTheEnd = async () => {
        while (!(await reader?.read())?.done);
      }
      await expect(readToTheEnd()).rejects.toThrow()
    }
    const whole = await ask('one/export', { format: 'ndjson', ...lastDays })
    expect((await whole.text()).trimEnd().split('\n')).toHaveLength(300)
  }, 60_000)

  test('is refused while another one to the same address runs, unless that is this machine', async () => {
    await waitUntil(async () => (await busyExports()) === 0, { what: 'no export is under way' })
    const leaving = new AbortController()
    // A proxy that is not trusted is a single client.
    const throughProxy = { headers: { 'x-forwarded-for': '8.8.8.8' }, signal: leaving.signal }
    const first = await fetch(`${api.origin}/stats/big/export?format=csv`, throughProxy)
    const second = await fetch(`${api.origin}/stats/one/export?format=csv`, throughProxy)
    expect([first.status, second.status, second.headers.get('retry-after')]).toEqual([200, 429, '10'])
    expect((await (await ask('one/export', {})).text()).length).toBeGreaterThan(0)
    leaving.abort()
    await waitUntil(async () => (await busyExports()) === 0, { what: 'no export holds a connection' })
    const third = await fetch(`${api.origin}/stats/one/export?format=csv`, {
      headers: { 'x-forwarded-for': '8.8.8.8' },
    })
    expect(third.status).toBe(200)
    await third.text()
  }, 60_000)

  test('is refused while two others run; a client that disconnects ends its own', async () => {
    await waitUntil(async () => (await busyExports()) === 0, { what: 'no export is under way' })
    const leaving = new AbortController()
    const open = await Promise.all([
      ask('big/export', { format: 'csv' }, leaving.signal),
      ask('big/export', { format: 'csv' }, leaving.signal),
    ])
    expect(open.map(({ status }) => status)).toEqual([200, 200])
    const refused = await ask('one/export', {})
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    // Other reports still work.
    expect((await ask('one', {})).status).toBe(200)
    leaving.abort()
    await sleep(50)
    const taken = await waitUntil(
      async () => {
        const response = await ask('one/export', {})
        await response.text()
        return response.status === 200 && response
      },
      { what: 'an export is served again' },
    )
    expect(taken.status).toBe(200)
    await waitUntil(async () => (await busyExports()) === 0, { what: 'no export holds a connection' })
  }, 60_000)
})

async function busyExports(): Promise<number> {
  const { rows } = await pool.query<{ busy: number }>(
    `SELECT count(*)::int AS busy FROM pg_stat_activity
     WHERE application_name = 'hopcount exports' AND datname = current_database() AND state <> 'idle'`,
  )
  return rows[0]?.busy ?? 0
}

/** Resident memory in MB. */
function memoryOfApi(): number {
  const status = readFileSync(`/proc/${api.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
}
