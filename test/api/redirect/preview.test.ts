/** `/:slug+` shows where a link leads. */
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { pageTexts } from '../../../apps/api/errors/page-texts.ts'
import { previewTexts } from '../../../apps/api/redirect/preview/preview-texts.ts'
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
import { createTestDatabase } from '../../support/test-database.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

let api: RunningApi
let pool: Pool

const html = { accept: 'text/html' }

beforeAll(async () => {
  const { url: databaseUrl } = await createTestDatabase()
  pool = openPool(databaseUrl)
  api = await startApi({ databaseUrl })
  await startWorker({ databaseUrl })
})

function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return answerTo(api.port, requestBytes(method, path, headers))
}

/** @param columns SQL */
async function linkWith(columns: string, longUrl = 'https://example.com/a'): Promise<string> {
  const slug = await shorten(api.origin, { long_url: longUrl })
  await pool.query(`UPDATE links SET ${columns} WHERE slug = $1`, [slug])
  return slug
}

test.each(['+', '%2B'])('programs get JSON at /:slug%s', async plus => {
  const slug = await linkWith("title = 'A title'")
  const answer = await get(`/${slug}${plus}`)
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toEqual({ slug, title: 'A title', long_url: 'https://example.com/a' })
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-robots-tag': 'noindex',
    vary: 'Accept, Accept-Language',
  })
})

test('browsers get a page with the whole target, and a link that follows', async () => {
  const target = `https://example.com/${'long/'.repeat(300)}?x=1#y`
  const slug = await linkWith('title = NULL', target)
  const answer = await get(`/${slug}+`, html)
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-robots-tag': 'noindex',
    'content-language': 'en',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  })
  expect(answer.body).toContain(`<strong><bdi dir="ltr">${target}</bdi></strong>`)
  expect(answer.body).toContain(`<bdi dir="ltr">http://hop.example/${slug}</bdi>`)
  expect(answer.body).toContain(`href="./${slug}"`)
  expect(answer.body).toContain('<meta name="robots" content="noindex">')
  expect(answer.body).not.toContain(previewTexts.en?.foreignLetters)
  const head = await get(`/${slug}+`, html, 'HEAD')
  expect([head.status, head.body]).toEqual([200, ''])
  expect(head.headers.get('content-length')).toBe(answer.headers.get('content-length'))
})

test('nothing that an owner has written becomes a part of the page', async () => {
  const slug = await linkWith(
    `title = '<img src=x onerror=alert(1)>"&\u202egnp.exe'`,
    `https://example.com/?a='"&lt;b`.replaceAll('"', '%22'),
  )
  const { body } = await get(`/${slug}+`, html)
  expect(body).toContain('<bdi>&#60;img src=x onerror=alert(1)&#62;&#34;&#38;\u202egnp.exe</bdi>')
  expect(body).toContain('?a=%27%22&#38;lt;b</bdi>')
  expect(body).not.toMatch(/<img|<script/)
})

test('a host with letters beyond a–z is shown as punycode, and said', async () => {
  const slug = await shorten(api.origin, { long_url: 'https://аррӏе.com/login' })
  const { body } = await get(`/${slug}+`, html)
  expect(body).toContain('https://xn--80ak6aa92e.com/login')
  expect(body).toContain(previewTexts.en?.foreignLetters)
})

test('it is no visit', async () => {
  const slug = await shorten(api.origin)
  await get(`/${slug}+`)
  await get(`/${slug}+`, html)
  await visit(api.origin, slug)
  await waitForVisits(api.origin, slug, 1)
  expect((await linkStats(api.origin, slug)).visits).toBe(1)
})

describe('a link that is not followed has no preview', () => {
  test.each([
    ['disabled', 'disabled_at = now()', 404],
    ['not yet valid', "valid_from = now() + interval '1 day'", 404],
    ['deleted', 'deleted_at = now()', 410],
    ['expired', "expires_at = now() - interval '1 day'", 410],
  ])('%s', async (_, columns, status) => {
    expectProblem(await get(`/${await linkWith(columns)}+`), status)
  })

  test('unknown, and then its slug is not counted as wanted', async () => {
    expectProblem(await get('/nobody-has-this+'), 404)
    await get('/nobody-has-that')
    const wanted = async () => (await pool.query('SELECT slug FROM orphan_visits')).rows.map(row => row.slug)
    await expect.poll(wanted, { timeout: 30_000 }).toContain('nobody-has-that')
    expect(await wanted()).not.toContain('nobody-has-this+')
    expect(await wanted()).not.toContain('nobody-has-this')
  })
})

test('an expired link shows where it leads now', async () => {
  const slug = await linkWith(
    "expires_at = now() - interval '1 day', expired_url = 'https://example.com/over'",
  )
  const { body } = await get(`/${slug}+`, html)
  expect(body).toContain('https://example.com/over')
  expect(body).toContain(previewTexts.en?.expired)
})

test('a damaged link with a + is still a damaged link', async () => {
  const slug = await shorten(api.origin)
  expect((await get(`/${slug}.+`)).status).toBe(307)
  expect((await get(`/${slug}+.`)).status).toBe(307)
})

test('every text is there in every language, and needs no escaping', () => {
  expect(Object.keys(previewTexts)).toEqual(Object.keys(pageTexts))
  for (const texts of Object.values(previewTexts)) {
    expect(Object.keys(texts)).toEqual(Object.keys(previewTexts.en ?? {}))
    for (const text of Object.values(texts)) expect(text).toMatch(/^[^<>&"]+$/)
  }
})
