import { beforeAll, describe, expect, test } from 'vitest'
import { slugAlphabet } from '../../../apps/api/links/generate-slug.ts'
import { reservedSlugs } from '../../../apps/api/links/reserved-slugs.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, visit } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

describe('reserved slugs', () => {
  let databaseUrl: string
  let api: RunningApi
  beforeAll(async () => {
    databaseUrl = (await createTestDatabase()).url
    api = await startApi({ databaseUrl, env: { RESERVED_SLUGS: 'Acme, acme-bank ,,x' } })
  })

  async function post(slug: string): Promise<void> {
    const link = { long_url: 'https://example.com/', slug }
    const refusal = [{ pointer: '#/slug', detail: 'slug is a reserved word.' }]
    for (const path of ['/shorten', '/api/links']) {
      const { errors } = expectProblem(await answerTo(api.port, jsonBytes(path, link)), 422)
      expect(errors).toEqual(refusal)
    }
    const bulk = JSON.parse((await answerTo(api.port, jsonBytes('/api/links/bulk', { links: [link] }))).body)
    expect(bulk).toMatchObject({ results: [{ slug, status: 422, problem: { errors: refusal } }] })
  }

  function jsonBytes(path: string, body: unknown): string {
    return requestBytes('POST', path, { 'content-type': 'application/json' }, JSON.stringify(body))
  }

  test.each([
    ...[
      'login',
      'LOGIN',
      'admin',
      'api',
      'API',
      'Api',
      'a-p-i',
      '_api_',
      'apis',
      'paypal',
      'PayPal',
      'stats',
      'Shorten',
    ],
    ...['sign_in', 'Log_In', 'Pay-Pal', '_paypal', 'paypal-', 'wellknown', 'st-ats', '--admin__'],
  ])('nobody gets %s', post)

  test.each(['acme', 'ACME', 'Acme-Bank', 'X', 'acmeBank', 'acme_bank', 'x_'])(
    'nobody gets %s, which the operator has reserved',
    post,
  )

  test.each(['logins', 'my-admin', 'github', 'jobs', 'acm', 'x1', '-', '__'])('%s is free', async slug => {
    await shorten(api.origin, { slug })
  })

  test('a link that has one already is kept', async () => {
    const pool = openPool(databaseUrl)
    await pool.query(`INSERT INTO links (slug, long_url) VALUES ('acme', 'https://example.com/acme')`)
    expect(await visit(api.origin, 'acme')).toBe('https://example.com/acme')
  })

  test('each word is written as it is compared, once, and could not be generated', () => {
    expect(new Set(reservedSlugs).size).toBe(reservedSlugs.length)
    for (const word of reservedSlugs) {
      expect(word).toMatch(/^[a-z0-9_-]{1,64}$/)
      const couldBeGenerated = word.length === 7 && [...word].every(letter => slugAlphabet.includes(letter))
      expect(couldBeGenerated, word).toBe(false)
    }
  })
})
