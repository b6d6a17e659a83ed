import { beforeAll, describe, expect, test } from 'vitest'
import { startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'
import type { LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let port: number
let client: LinkClient

beforeAll(async () => {
  const { url } = await createTestDatabase()
  const api = await startApi({ databaseUrl: url })
  port = api.port
  client = linkClient(api.origin)
})

interface Result {
  slug: string | null
  status: number
  link?: Record<string, unknown>
  problem?: { status: number; errors?: { pointer: string }[] }
}

async function bulk(method: string, body: unknown): Promise<Result[]> {
  const answer = await client.send(method, '/api/links/bulk', body)
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 })
  return answer.body.results as Result[]
}

const long_url = 'https://example.com/'

test('1,000 links are created in one request, in its order, and each is in the audit', async () => {
  const wanted = Array.from({ length: 1_000 }, (_, i) => ({
    long_url: `https://example.com/${i}`,
    title: `Link ${i}`,
    tags: ['bulk', `t${i % 7}`],
    ...(i % 2 === 0 && { slug: `bulk-${i}` }),
  }))
  const results = await bulk('POST', { links: wanted })
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set([201]))
  expect(results.map(({ link }) => link)).toMatchObject(wanted)
  expect(results.every(({ slug, link }) => slug === link?.slug)).toBe(true)
  expect(await client.follow('bulk-998')).toEqual([307, 'https://example.com/998'])
  const audit = await client.send('GET', '/api/audit?limit=100&action=link.created')
  const [newest] = audit.body as unknown as Record<string, unknown>[]
  expect(newest).toMatchObject({
    via: 'api',
    by: null,
    changes: { tags: [[], ['bulk', expect.any(String)]] },
  })
  const created = (await client.list('?limit=100&tag=BULK')).length
  expect(created).toBe(1_000)
})

describe('a row that is refused', () => {
  test('has the status and the problem that it would have alone, and the others are created', async () => {
    await client.create({ slug: 'taken' })
    const deleted = await client.create()
    await client.send('DELETE', `/api/links/${deleted.slug}`)
    const results = await bulk('POST', {
      links: [
        { long_url, slug: 'first' },
        { long_url: 'https://localhost/', title: '\u0000' },
        { long_url: 5 },
        {},
        'no object',
        null,
        { long_url, slug: 'taken' },
        { long_url, slug: deleted.slug },
        { long_url, slug: 'twice' },
        { long_url, slug: 'twice' },
        { long_url, slug: 'api' },
        { long_url, slug: 7 },
        { long_url, color: 'red' },
        { long_url: 'https://example.com/reused', reuse: true },
        { long_url: 'https://example.com/reused', reuse: true },
        { long_url, slug: 'last' },
      ],
    })
    expect(results.map(({ status }) => status)).toEqual([
      201, 422, 400, 400, 400, 400, 409, 409, 201, 409, 422, 400, 400, 201, 200, 201,
    ])
    expect(results.map(({ problem }) => problem?.errors?.map(({ pointer }) => pointer).join(' '))).toEqual([
      undefined,
      '#/long_url #/title',
      '#/long_url',
      '#/long_url',
      '#',
      '#',
      '#/slug',
      '#/slug',
      undefined,
      '#/slug',
      '#/slug',
      '#/slug',
      '#/color',
      undefined,
      undefined,
      undefined,
    ])
    expect(results.map(({ slug }) => slug)).toMatchObject({ 0: 'first', 1: null, 6: 'taken', 11: null })
    expect(results[14]?.slug).toBe(results[13]?.slug)
    expect(await client.follow('last')).toEqual([307, long_url])
  })

  test('does not keep others from being changed', async () => {
    const one = await client.create({ title: 'One' })
    const other = await client.create({ title: 'Other' })
    const deleted = await client.create()
    await client.send('DELETE', `/api/links/${deleted.slug}`)
    const results = await bulk('PATCH', {
      links: [
        { slug: one.slug, title: null, tags: ['x'] },
        { slug: 'unknown', title: 'x' },
        { slug: 'a b' },
        { slug: '\u0000' },
        { title: 'x' },
        { slug: deleted.slug, title: 'x' },
        { slug: one.slug, title: 'Again' },
        { slug: other.slug, long_url: 'mailto:x' },
      ],
    })
    expect(results.map(({ status }) => status)).toEqual([200, 404, 404, 404, 400, 410, 422, 422])
    expect(results[0]?.link).toMatchObject({ title: null, tags: ['x'] })
    expect(await client.send('GET', `/api/links/${one.slug}`)).toMatchObject({
      etag: '"2"',
      body: results[0]?.link,
    })
    expect((await client.send('GET', `/api/links/${other.slug}`)).etag).toBe('"1"')
    expect(results[7]?.problem?.errors).toMatchObject([{ pointer: '#/long_url' }])
  })

  test('does not keep others from being deleted', async () => {
    const one = await client.create()
    const other = await client.create()
    const slugs = [one.slug, 'unknown', one.slug, '\u0000', '', other.slug]
    const results = await bulk('DELETE', { slugs })
    expect(results.map(({ slug }) => slug)).toEqual(slugs)
    expect(results.map(({ status }) => status)).toEqual([204, 404, 204, 404, 404, 204])
    expect(await client.send('GET', `/api/links/${one.slug}`)).toMatchObject({
      etag: '"2"',
      body: { state: 'deleted' },
    })
    expect((await bulk('DELETE', { slugs: [one.slug] }))[0]?.status).toBe(204)
  })
})

test('bulk changes of the same links in different orders all succeed', async () => {
  const created = await bulk('POST', { links: Array.from({ length: 50 }, () => ({ long_url })) })
  const slugs = created.map(({ slug }) => slug)
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      bulk('PATCH', {
        links: (i % 2 === 0 ? slugs : slugs.toReversed()).map(slug => ({ slug, title: `By ${i}` })),
      }),
    ),
  )
  expect(new Set(answers.flat().map(({ status }) => status))).toEqual(new Set([200]))
  expect((await client.send('GET', `/api/links/${slugs[0]}`)).etag).toBe('"7"')
})

test.each([
  ['no rows', { links: [] }, { slugs: [] }],
  ['1,001 rows', { links: Array(1_001).fill({ long_url }) }, { slugs: Array(1_001).fill('a') }],
  ['no list', { links: { long_url } }, { slugs: 'a' }],
  ['another field', { links: [{ long_url }], reuse: true }, { slugs: ['a'], force: true }],
  ['a list without a name', [{ long_url }], ['a']],
  ['a slug that is a number', { links: null }, { slugs: [5] }],
])('a request with %s has status 400', async (_, links, slugs) => {
  expect((await client.send('POST', '/api/links/bulk', links)).status).toBe(400)
  expect((await client.send('PATCH', '/api/links/bulk', links)).status).toBe(400)
  expect((await client.send('DELETE', '/api/links/bulk', slugs)).status).toBe(400)
})

test('a body may have 4 MiB, and no more', async () => {
  const note = 'x'.repeat(2_000)
  const large = { links: Array.from({ length: 1_000 }, () => ({ long_url, note })) }
  expect((await bulk('POST', large)).length).toBe(1_000)
  for (const [path, most] of [
    ['/api/links/bulk', 4 * 1024 * 1024],
    ['/api/links', 8 * 1024],
  ] as const) {
    const headers = { 'content-type': 'application/json', 'content-length': String(most + 1) }
    expectProblem(await answerTo(port, requestBytes('POST', path, headers)), 413)
  }
})

test('a repeated request with the same Idempotency-Key creates nothing', async () => {
  const headers = { 'idempotency-key': 'bulk-once' }
  const body = { links: [{ long_url, tags: ['once'] }, { long_url: 'mailto:x' }] }
  const first = await client.send('POST', '/api/links/bulk', body, headers)
  const again = await client.send('POST', '/api/links/bulk', body, headers)
  expect(first).toMatchObject({ status: 200, body: { results: [{ status: 201 }, { status: 422 }] } })
  expect(again.body).toEqual(first.body)
  expect((await client.list('?tag=once')).length).toBe(1)
})
