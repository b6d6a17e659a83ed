/** What a link's rules say when it is followed. */
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { forwardQuery } from '../../../apps/api/redirect/forward-query.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import {
  linkStats,
  openPool,
  shorten,
  startApi,
  startWorker,
  visit,
  waitForVisits,
} from '../../support/hopcount.ts'
import { anyRedis, anyRedisAvailable } from '../../support/redis.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

let pool: Pool
/** The second one finds links in L2. */
let apis: RunningApi[]
let links = 0

beforeAll(async () => {
  const { url: databaseUrl } = await createTestDatabase()
  pool = openPool(databaseUrl)
  const cache = anyRedisAvailable() ? { CACHE_REDIS_URL: (await anyRedis()).url } : {}
  const parts = { databaseUrl, env: cache }
  apis = await Promise.all([startApi(parts), startApi(parts)])
  await startWorker(parts)
})

/** @param columns SQL for columns of the new link */
async function linkWith(columns: Record<string, string>, longUrl = 'https://example.com/a'): Promise<string> {
  const slug = `ruled-${++links}`
  const names = ['slug', 'long_url', ...Object.keys(columns)]
  await pool.query(
    `INSERT INTO links (${names.join(', ')}) VALUES ($1, $2, ${Object.values(columns).join(', ')})`,
    [slug, longUrl],
  )
  return slug
}

/** From PostgreSQL, L1 and L2, with GET and HEAD: all the same. */
async function follow(path: string) {
  const answers = []
  for (const { port } of apis)
    for (const method of ['GET', 'GET', 'HEAD'])
      answers.push(await answerTo(port, requestBytes(method, path)))
  const [first, ...others] = answers
  if (first === undefined) throw new Error('no response')
  for (const other of others)
    expect([other.status, other.headers.get('location'), other.headers.get('content-type')]).toEqual([
      first.status,
      first.headers.get('location'),
      first.headers.get('content-type'),
    ])
  return first
}

const past = "now() - interval '1 minute'"
const future = "now() + interval '1 day'"
const expiredUrl = "'https://example.com/over'"

async function expectGone(slug: string, requests: number): Promise<void> {
  const id = (await pool.query<{ id: number }>('SELECT id FROM links WHERE slug = $1', [slug])).rows[0]?.id
  await waitUntil(
    async () => {
      const { rows } = await pool.query<{ sum: string }>(
        'SELECT sum(requests)::int FROM gone_requests WHERE link_id = $1',
        [id],
      )
      return Number(rows[0]?.sum) === requests
    },
    { what: `${requests} requests for /${slug} are counted` },
  )
}

describe('a link that can not be followed', () => {
  test('is unknown to visitors while it is disabled, and its slug stays taken', async () => {
    const slug = await linkWith({ disabled_at: past, expires_at: past, expired_url: expiredUrl })
    const disabled = await follow(`/${slug}`)
    const unknown = await follow('/unknown')
    expect(disabled.body).toBe(unknown.body)
    expectProblem(disabled, 404)
    await expect(shorten(apis[0]?.origin ?? '', { slug })).rejects.toThrow('409')
  })

  test('is unknown before it is valid', async () => {
    expectProblem(await follow(`/${await linkWith({ valid_from: future })}`), 404)
  })

  test('is gone when it was deleted, and that is counted', async () => {
    const slug = await linkWith({ deleted_at: past, disabled_at: past, valid_from: future })
    expectProblem(await follow(`/${slug}`), 410)
    await expectGone(slug, 4)
  })

  test('leads elsewhere when it has expired, which is no visit', async () => {
    const slug = await linkWith({ expires_at: past, expired_url: expiredUrl, valid_from: past })
    const answer = await follow(`/${slug}`)
    expect([answer.status, answer.headers.get('location')]).toEqual([307, 'https://example.com/over'])
    expect(answer.headers.get('cache-control')).toBe('private, no-store')
    await expectGone(slug, 4)
    expect((await linkStats(apis[0]?.origin ?? '', slug)).visits).toBe(0)
  })

  test('does not lead in a circle when it has expired', async () => {
    const slug = await linkWith({ expires_at: past, expired_url: "'http://hop.example/other'" })
    expectProblem(await follow(`/${slug}`), 508)
  })
})

test('a link with rules that allow it is followed and counted', async () => {
  const slug = await linkWith({ valid_from: past, expires_at: future, expired_url: expiredUrl })
  const answer = await follow(`/${slug}`)
  expect([answer.status, answer.headers.get('location')]).toEqual([307, 'https://example.com/a'])
  await waitForVisits(apis[0]?.origin ?? '', slug, 4)
})

describe('the query of the request', () => {
  test('is appended to the target where the link says so', async () => {
    const slug = await linkWith({ forward_query: 'true' }, 'https://example.com/a?x=1#part')
    const answer = await follow(`/${slug}?x=2&y=%20+z`)
    expect(answer.headers.get('location')).toBe('https://example.com/a?x=1&x=2&y=%20+z#part')
    const damaged = await follow(`/${slug}.?y=1`)
    expect(damaged.headers.get('location')).toBe('https://example.com/a?x=1&y=1#part')
  })

  test('is left out elsewhere', async () => {
    const origin = apis[0]?.origin ?? ''
    const slug = await shorten(origin, { long_url: 'https://example.com/a' })
    expect(await visit(origin, `${slug}?x=2`)).toBe('https://example.com/a')
  })

  test.each([
    ['https://e.example/', '/s', 'https://e.example/'],
    ['https://e.example/', '/s?', 'https://e.example/'],
    ['https://e.example', '/s?a', 'https://e.example?a'],
    ['https://e.example/?', '/s?a=1', 'https://e.example/?a=1'],
    ['https://e.example/?b&', '/s?a=1', 'https://e.example/?b&a=1'],
    ['https://e.example/#?x', '/s?a=1', 'https://e.example/?a=1#?x'],
    ['https://e.example/?b=1#c#d', '/s?a=1&a=2', 'https://e.example/?b=1&a=1&a=2#c#d'],
    ['https://e.example/', '/s?a=1?b=/:@', 'https://e.example/?a=1?b=/:@'],
    ['https://e.example/', '/s?"<>^`{|}\\[]#', 'https://e.example/?%22%3C%3E%5E%60%7B%7C%7D%5C%5B%5D%23'],
    ['https://e.example/', '/s?a=%4', 'https://e.example/?a=%254'],
    ['https://e.example/', '/s?a=%zz%41', 'https://e.example/?a=%25zz%41'],
    ['https://e.example/', '/s?\u00c3\u00a9', 'https://e.example/?%C3%A9'],
    ['https://e.example/', `/s?${'a'.repeat(8_192)}`, 'https://e.example/'],
  ])('%s for %s leads to %s', (target, requested, expected) => {
    expect(forwardQuery(target, requested)).toBe(expected)
  })
})
