/** What people see where a link can't be followed; programs get the problem document. */

import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { pageTexts } from '../../../apps/api/errors/page-texts.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi } from '../../support/hopcount.ts'
import { startPostgres } from '../../support/postgres.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { RawAnswer } from '../raw-http.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

let api: RunningApi
let pool: Pool
let expired: string

const chromium = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  api = await startApi({
    databaseUrl: url,
    env: { BRAND_NAME: 'Ex & <b>ample</b>', BRAND_URL: 'https://example.com/?a="b"&c' },
  })
  expired = await shorten(api.origin)
  await pool.query(`UPDATE links SET expires_at = now() - interval '1 day' WHERE slug = $1`, [expired])
})

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawAnswer> {
  return answerTo(api.port, requestBytes(method, path, headers))
}

function expectPage(answer: RawAnswer, status: number, language = 'en'): void {
  expect(answer.status).toBe(status)
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-language': language,
    vary: 'Accept, Accept-Language',
    'x-content-type-options': 'nosniff',
  })
  const [heading = '', advice = ''] = Object.entries(pageTexts[language] ?? {}).find(
    ([of]) => Number(of) === status,
  )?.[1] ?? ['no such text']
  expect(answer.body).toContain(`<html lang="${language}">`)
  expect(answer.body).toContain(`<title>${heading}</title>`)
  expect(answer.body).toContain(`<h1>${heading}</h1>`)
  expect(answer.body).toContain(`<p>${advice}</p>`)
}

describe('a browser that navigates gets a page', () => {
  test.each([
    ['an unknown link', () => '/unknown', 404],
    ['a damaged link that leads nowhere', () => '/unknown%E2%80%8B', 404],
    ['an address below a link', () => '/unknown/extra', 404],
    ['a path that is too long', () => `/${'x'.repeat(600)}`, 404],
    ['an expired link', () => `/${expired}`, 410],
    ['a path that can not be decoded', () => '/%zz', 400],
  ])('for %s', async (_, path, status) => {
    const answer = await get(path(), { accept: chromium })
    expectPage(answer, status)
    const head = await get(path(), { accept: chromium }, 'HEAD')
    expect([head.status, head.body]).toEqual([status, ''])
    expect(head.headers.get('content-length')).toBe(answer.headers.get('content-length'))
  })

  test('for a method that a link does not support, with Allow', async () => {
    const answer = await get('/unknown', { accept: chromium }, 'POST')
    expectPage(answer, 405)
    expect(answer.headers.get('allow')).toBe('GET, HEAD')
  })

  test('that loads nothing, runs nothing, and allows neither', async () => {
    const { headers, body } = await get('/unknown', { accept: chromium })
    const policy = headers.get('content-security-policy')
    const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    expect(body).not.toMatch(/<script|<img|<iframe|\bsrc=|\bon\w+=|url\(|@import/)
    expect(body.match(/href="[^"]*"/g)).toEqual([
      'href="data:,"',
      'href="https://example.com/?a=%22b%22&#38;c"',
    ])
  })

  test('that bears the brand, escaped', async () => {
    const { body } = await get('/unknown', { accept: chromium })
    expect(body).toContain('>Ex &#38; &#60;b&#62;ample&#60;/b&#62;</a>')
  })

  test('that is the same whatever was requested', async () => {
    const pages = await Promise.all(
      ['/a', '/%3Cscript%3E.', '/b%22%3E?c=<d>', '/e/f'].map(path =>
        get(path, { accept: chromium, 'user-agent': '<script>', referer: 'https://evil.example/' }),
      ),
    )
    expect(new Set(pages.map(page => page.body)).size).toBe(1)
  })
})

describe('Accept decides', () => {
  test.each([
    chromium,
    'text/html',
    'text/html, */*',
    'text/html, application/xhtml+xml, */*',
    'TEXT/HTML;q=0.9, application/json;q=0.8',
    'application/xhtml+xml',
    'text/html;q=.9, */*;q=.1',
    'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
  ])('for the page: %s', async accept => {
    expectPage(await get('/unknown', { accept }), 404)
  })

  test.each([
    '',
    '*/*',
    'text/*',
    'application/json',
    'application/problem+json, text/html;q=0.9',
    'application/json, text/html',
    'application/json, text/plain, */*',
    'text/html;q=0',
    'text/html;q=0.5, */*;q=0.8',
    'text/html;q=x',
    'text/html;q=-1',
    'application/json,text/html;q=0.9,*/*;q=0.8',
    `${'a/b,'.repeat(200)}text/html`,
    'image/avif,image/webp,image/*,*/*;q=0.8',
  ])('for the document: %s', async accept => {
    const answer = await get('/unknown', { accept })
    expectProblem(answer, 404)
    expect(answer.headers.get('vary')).toBe('Accept, Accept-Language')
  })

  test('for programs that send none, and for what the API itself refuses', async () => {
    expectProblem(await get('/unknown'), 404)
    expectProblem(await get(`/${expired}`), 410)
    expectProblem(await get('/stats/unknown', { accept: chromium }), 404)
    expectProblem(await get('/stats?limit=0', { accept: chromium }), 400)
  })
})

describe('Accept-Language decides on the language', () => {
  test.each([
    ['de', 'de'],
    ['de-AT, en;q=0.9', 'de'],
    ['pt-BR,pt;q=0.9,en;q=0.8', 'pt'],
    ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr'],
    ['en;q=0.5, es', 'es'],
    ['tlh, it;q=0.3', 'it'],
    ['zh-Hant-TW', 'zh'],
    ['DE', 'de'],
    ['', 'en'],
    ['*', 'en'],
    ['tlh', 'en'],
    ['de;q=0', 'en'],
    ['__proto__, constructor, toString', 'en'],
    ['de;q=, es;;q=0.1;,,,', 'es'],
    [`${'x'.repeat(600)}, de`, 'en'],
  ])('%j: %s', async (header, language) => {
    expectPage(await get('/unknown', { accept: chromium, 'accept-language': header }), 404, language)
  })

  test.each(Object.keys(pageTexts))('every text is there in %s, and needs no escaping', language => {
    const texts = Object.entries(pageTexts[language] ?? {})
    expect(texts.map(([status]) => status)).toEqual(Object.keys(pageTexts.en ?? {}))
    for (const [, pair] of texts) for (const text of pair) expect(text).toMatch(/^[^<>&"]+$/)
  })
})

test('a link that can not be looked up is 503 with Retry-After, as a page and as a document', async () => {
  const postgres = await startPostgres()
  const other = await startApi({ databaseUrl: postgres.url })
  await postgres.stop()
  const page = await answerTo(other.port, requestBytes('GET', '/unknown', { accept: chromium }))
  expectPage(page, 503)
  expect(page.headers.get('retry-after')).toBe('1')
  expect(page.body).not.toContain('<footer>')
  expectProblem(await answerTo(other.port, requestBytes('GET', '/unknown')), 503)
})
