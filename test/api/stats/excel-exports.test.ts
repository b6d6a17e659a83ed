/** Files for spreadsheets: statistics, and the list of links. */
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { firefox, recordVisits } from '../../dashboard/past-visits.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

let api: RunningApi
let pool: Pool
/** Two hours before Berlin's clocks are set back, and after. */
const times = ['2026-10-24T22:30:00.500Z', '2026-10-25T02:30:00Z'].map(time => Date.parse(time))
const range = { from: '2026-10-25', to: '2026-10-26', tz: 'Europe/Berlin' }

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  api = await startApi({ databaseUrl: url, env: { PUBLIC_URL: 'https://go.example' } })
  const links = [
    { slug: '1e5', long_url: 'https://target.example/a;=1', title: '=SUM(A1)', tags: ['Spring', 'print'] },
    { slug: 'zwei', long_url: 'https://target.example/b', title: 'Übersicht;=1', note: 'one\ntwo,=2' },
    { slug: 'weg', long_url: 'https://other.example/', disabled: true },
  ]
  for (const link of links) {
    const response = await fetch(`${api.origin}/api/links`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(link),
    })
    expect(response.status).toBe(201)
  }
  const [early = 0, late = 0] = times
  await recordVisits(pool, '1e5', [
    { visitedAt: early, referrer: undefined, userAgent: firefox },
    { visitedAt: late, referrer: 'https://blog.example/a;=cmd|x', userAgent: 'curl/8.14.1' },
  ])
}, 120_000)

async function file(path: string, query: Record<string, string>) {
  const response = await fetch(`${api.origin}${path}?${new URLSearchParams(query)}`)
  const bytes = Buffer.from(await response.arrayBuffer())
  return {
    status: response.status,
    name: /filename="(.*)"/.exec(response.headers.get('content-disposition') ?? '')?.[1],
    type: response.headers.get('content-type'),
    bytes,
    lines: bytes
      .toString()
      .replace(/^\ufeff/, '')
      .trimEnd()
      .split('\r\n'),
  }
}

test('visits have local times, words for what is empty, the agent, and their days in the name', async () => {
  const { name, type, bytes, lines } = await file('/stats/1e5/export', { format: 'excel', ...range })
  expect(name).toBe('1e5-visits-2026-10-25.csv')
  expect(type).toBe('text/csv; charset=utf-8')
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  expect(lines).toEqual([
    'visited_at,referrer,user_agent,country,language,class,source,channel,browser,browser_version,os,os_version,device,bot',
    `2026-10-25 03:30:00,https://blog.example/a;'=cmd|x,curl/8.14.1,unknown,unknown,bot,blog.example,other,Bot,,unknown,,unknown,curl`,
    `2026-10-25 00:30:00,direct,${firefox},unknown,unknown,human,direct,direct,Firefox,148,Linux,,desktop,human`,
  ])
  const overall = await file('/stats/overall/export', { format: 'excel', ...range, to: '2026-10-28' })
  expect(overall.name).toBe('overall-visits-2026-10-25-2026-10-27.csv')
  expect(overall.lines[1]).toMatch(/^\/1e5,2026-10-25 03:30:00,/)
})

test('cells are separated as asked, and nothing becomes a formula where Excel expects the other separator', async () => {
  const { lines } = await file('/stats/1e5/export', { format: 'excel', separator: 'semicolon', ...range })
  expect(lines[0]?.split(';').length).toBe(14)
  expect(lines[1]).toContain(';"https://blog.example/a;=cmd|x";')
  const links = await file('/api/links/export', { format: 'excel', separator: 'semicolon' })
  expect(links.lines.at(-1)).toContain(`;'=SUM(A1);`)
  expect(links.lines.find(line => line.startsWith('/zwei;'))).toContain(`;"Übersicht;=1";;"one\ntwo,'=2";`)
})

test('series and breakdowns have local times and words, too', async () => {
  const series = await file('/stats/1e5/export', {
    what: 'series',
    format: 'excel',
    interval: 'hour',
    ...range,
  })
  expect(series.name).toBe('1e5-series-2026-10-25.csv')
  expect(series.lines.length).toBe(26)
  expect(series.lines[1]).toBe('2026-10-25 00:00:00,1,1,0,0')
  const breakdowns = await file('/stats/1e5/export', { what: 'breakdowns', format: 'excel', ...range })
  expect(breakdowns.lines).toContain('referrer,direct,1,1')
  expect(breakdowns.lines).toContain('country,unknown,2,1')
})

test('other formats are as they were', async () => {
  const csv = await file('/stats/1e5/export', { format: 'csv', ...range })
  expect(csv.name).toBe('1e5-visits.csv')
  expect(csv.bytes.toString()).toMatch(
    /^visited_at,referrer,user_agent,country,language,class,source,channel\r\n/,
  )
  expect(csv.lines[1]).toMatch(/^2026-10-25T02:30:00\.000Z,/)
})

test('the list of links is exported with its search and filters', async () => {
  const all = await file('/api/links/export', { format: 'excel', tz: 'Europe/Berlin' })
  expect(all.name).toMatch(/^links-\d{4}-\d\d-\d\d\.csv$/)
  expect(all.lines[0]).toBe(
    'slug,short_url,long_url,title,tags,note,state,created_at,valid_from,expires_at,max_visits,visits,humans,bots,previews,uniques,last_visit',
  )
  expect(all.lines.slice(1).map(line => line.split(',')[0])).toEqual(['/weg', '/zwei', '/1e5'])
  expect(all.lines[3]).toMatch(
    /^\/1e5,https:\/\/go\.example\/1e5,https:\/\/target\.example\/a;'=1,'=SUM\(A1\),"Spring, print",,active,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,,,,2,1,1,0,0,2026-10-25 03:30:00$/,
  )
  expect(all.lines[2]).toContain(`,Übersicht;'=1,,"one\ntwo,=2",active,`)
  const slugs = async (query: Record<string, string>) =>
    (await file('/api/links/export', { format: 'ndjson', ...query })).bytes
      .toString()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line).slug)
  expect(await slugs({ search: 'TARGET' })).toEqual(['zwei', '1e5'])
  expect(await slugs({ search: 'go.example/1e5' })).toEqual(['1e5'])
  expect(await slugs({ tag: 'spring' })).toEqual(['1e5'])
  expect(await slugs({ status: 'disabled' })).toEqual(['weg'])
  expect(await slugs({ search: 'nothing' })).toEqual([])
  expect((await file('/api/links/export', { tz: 'Nowhere' })).status).toBe(400)
})

test('the list is exported whole, across chunks', async () => {
  await pool.query(
    `INSERT INTO links (slug, long_url) SELECT 'many-' || n, 'https://many.example/' || n FROM generate_series(1, 600) AS n`,
  )
  const { lines } = await file('/api/links/export', { search: 'many.example' })
  expect(lines.length).toBe(601)
  expect(new Set(lines).size).toBe(601)
})

test('an export that is cut off leaves its place to the next one', async () => {
  const client = await pool.connect()
  try {
    await client.query('BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE')
    for (let i = 0; i < 3; i++) {
      const failing = file('/api/links/export', {}).catch(() => 'cut off')
      await waitUntil(
        async () => {
          const { rowCount } = await pool.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%links%'`,
          )
          return rowCount !== null && rowCount > 0
        },
        { what: 'the export to wait for the table' },
      )
      expect(await failing).toBe('cut off')
    }
  } finally {
    client.release(true)
  }
  expect((await file('/api/links/export', {})).status).toBe(200)
})
