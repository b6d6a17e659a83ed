import { beforeAll, describe, expect, test } from 'vitest'
import { shorten, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let origin: string
let client: LinkClient

beforeAll(async () => {
  const { url } = await createTestDatabase()
  origin = (await startApi({ databaseUrl: url })).origin
  client = linkClient(origin)
})

const everyField = {
  long_url: 'https://example.com/target',
  title: 'A title',
  note: 'Two\nlines',
  tags: ['Spring', 'Größe'],
  valid_from: '2020-01-01T00:00:00.000Z',
  expires_at: '2099-01-01T00:00:00.000Z',
  expired_url: 'https://example.com/over',
  max_visits: 1_000_000_000_000,
  forward_query: true,
  disabled: false,
}
const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)

describe('a created link', () => {
  test('has every field, null where none was given', async () => {
    const plain = await client.create()
    expect(plain).toMatchObject({ etag: '"1"', location: `/api/links/${plain.slug}` })
    expect(plain.body).toEqual({
      slug: plain.slug,
      short_url: `${origin}/${plain.slug}`,
      long_url: 'https://example.com/',
      title: null,
      note: null,
      tags: [],
      valid_from: null,
      expires_at: null,
      expired_url: null,
      max_visits: null,
      forward_query: false,
      disabled: false,
      state: 'active',
      created_at: time,
      updated_at: plain.body.created_at,
      created_by: null,
      deleted_at: null,
      visits: 0,
      last_visit: null,
    })
    const complete = await client.create({ ...everyField, slug: 'complete' })
    expect(complete.body).toMatchObject(everyField)
    expect(await client.send('GET', '/api/links/complete')).toMatchObject({
      status: 200,
      etag: '"1"',
      body: complete.body,
    })
  })

  test('is the same if its fields are given to POST /shorten', async () => {
    const response = await client.send('POST', '/shorten', { ...everyField, slug: 'by-shorten' })
    expect(response.status).toBe(201)
    const { disabled, ...set } = everyField
    expect(response.body).toEqual({
      ...set,
      slug: 'by-shorten',
      short_url: `${origin}/by-shorten`,
      created_at: time,
    })
    expect((await client.send('GET', '/api/links/by-shorten')).body).toMatchObject(everyField)
  })

  test('is normalized: text is trimmed, tags are distinct without regard to case', async () => {
    const link = await client.create({
      title: '  Cafe\u0301 ',
      note: ' a\r\nb ',
      tags: [' News', 'news', 'NEWS ', 'Größe', 'GRÖSSE', 'GRÖßE'],
      valid_from: '2020-01-01t01:00:00+01:00',
      expired_url: 'HTTPS://Example.com/ü',
    })
    expect(link.body).toMatchObject({
      title: 'Caf\u00e9',
      note: 'a\nb',
      tags: ['News', 'Größe', 'GRÖSSE'],
      valid_from: '2020-01-01T00:00:00.000Z',
      expired_url: 'https://example.com/%C3%BC',
    })
    const blank = await client.create({ title: ' ', note: '', tags: [], disabled: null, max_visits: null })
    expect(blank.body).toMatchObject({ title: null, note: null, disabled: false })
  })

  test('is not one that has a field of its own, when a link is reused', async () => {
    const long_url = 'https://example.com/reused'
    for (const field of [
      { expires_at: '2099-01-01T00:00:00Z' },
      { valid_from: '2020-01-01T00:00:00Z' },
      { max_visits: 5 },
      { forward_query: true },
      { disabled: true },
    ])
      await client.create({ long_url, ...field })
    const first = await client.send('POST', '/api/links', { long_url, reuse: true })
    const again = await client.send('POST', '/api/links', { long_url, reuse: true })
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.body.slug).toBe(first.body.slug)
    for (const path of ['/api/links', '/shorten'])
      expect(await client.send('POST', path, { long_url, reuse: true, title: 'A title' })).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '#/reuse' }] },
      })
    await client.send('PATCH', `/api/links/${first.body.slug}`, { disabled: true })
    const next = await client.send('POST', '/api/links', { long_url, reuse: true })
    expect(next.status).toBe(201)
    await client.send('PATCH', `/api/links/${next.body.slug}`, { long_url: 'https://example.com/other' })
    expect((await client.send('POST', '/shorten', { long_url, reuse: true })).status).toBe(201)
  })
})

describe('a field that is not allowed', () => {
  test.each<[string, unknown]>([
    ['long_url', 'javascript:alert(1)'],
    ['long_url', 'https://127.0.0.1/'],
    ['title', 'x'.repeat(201)],
    ['title', 'a\u0000b'],
    ['title', 'a\nb'],
    ['title', '\ud800'],
    ['note', 'x'.repeat(2_001)],
    ['note', 'a\u0000b'],
    ['note', '\udc00'],
    ['tags', Array.from({ length: 21 }, (_, i) => `tag ${i}`)],
    ['tags', ['x'.repeat(51)]],
    ['tags', ['a,b']],
    ['tags', [' ']],
    ['tags', ['a\u0000']],
    ['tags', ['\ud83d']],
    ['valid_from', 'tomorrow'],
    ['valid_from', '2030-02-30T00:00:00Z'],
    ['valid_from', '10000-01-01T00:00:00Z'],
    ['expires_at', '2020-01-01T00:00:00Z'],
    ['expires_at', '2099-01-01'],
    ['expired_url', 'ftp://example.com/'],
    ['expired_url', 'https://localhost/'],
    ['max_visits', 0],
    ['max_visits', -1],
    ['max_visits', 1_000_000_000_001],
    ['max_visits', 1e300],
  ])('is named with status 422, on creation and on change: %s %j', async (field, value) => {
    const body = { long_url: 'https://example.com/', [field]: value }
    const { slug } = await client.create()
    for (const answer of [
      await client.send('POST', '/api/links', body),
      await client.send('POST', '/shorten', body),
      await client.send('PATCH', `/api/links/${slug}`, { [field]: value }),
    ]) {
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: `#/${field}` }] } })
      expect(JSON.stringify(answer.body)).toContain(`"${field} `)
    }
    expect((await client.send('GET', `/api/links/${slug}`)).etag).toBe('"1"')
  })

  test('is named beside every other one', async () => {
    const answer = await client.send('POST', '/api/links', {
      long_url: 'mailto:x',
      slug: 'a b',
      title: '\u0001',
      max_visits: 0,
    })
    expect(answer.status).toBe(422)
    const errors = answer.body.errors as { pointer: string }[]
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '#/long_url',
      '#/max_visits',
      '#/slug',
      '#/title',
    ])
  })

  test('may not begin after it ends', async () => {
    const times = { valid_from: '2098-01-01T00:00:00Z', expires_at: '2097-01-01T00:00:00Z' }
    const refused = { status: 422, body: { errors: [{ pointer: '#/valid_from' }] } }
    expect(
      await client.send('POST', '/api/links', { long_url: 'https://example.com/', ...times }),
    ).toMatchObject(refused)
    const { slug } = await client.create({ valid_from: times.valid_from })
    expect(await client.send('PATCH', `/api/links/${slug}`, { expires_at: times.expires_at })).toMatchObject(
      refused,
    )
  })

  test.each([
    ['an unknown field', '{"long_url":"https://example.com/","color":"red"}'],
    ['a computed field', '{"long_url":"https://example.com/","visits":5}'],
    ['__proto__', '{"long_url":"https://example.com/","__proto__":{"disabled":true}}'],
    ['constructor', '{"long_url":"https://example.com/","constructor":{"prototype":{"disabled":true}}}'],
    ['a number as text', '{"long_url":"https://example.com/","max_visits":"5"}'],
    ['a fraction', '{"long_url":"https://example.com/","max_visits":1.5}'],
    ['a number without end', '{"long_url":"https://example.com/","max_visits":1e999}'],
    ['a flag as text', '{"long_url":"https://example.com/","disabled":"true"}'],
    ['tags that are one text', '{"long_url":"https://example.com/","tags":"a"}'],
    ['a tag that is none', '{"long_url":"https://example.com/","tags":[null]}'],
    ['no target', '{"long_url":null}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no JSON', '{'],
  ])('has status 400 if it is not what the schema says: %s', async (_, body) => {
    const { slug } = await client.create()
    for (const [method, path] of [
      ['POST', '/api/links'],
      ['PATCH', `/api/links/${slug}`],
    ] as const)
      expect(await client.send(method, path, body)).toMatchObject({ status: 400, body: { status: 400 } })
  })
})

describe('a change', () => {
  test('sets what it names, removes what is null, and leaves the rest', async () => {
    const { slug } = await client.create(everyField)
    const changed = await client.send(
      'PATCH',
      `/api/links/${slug}`,
      { title: 'Another', tags: ['b'], note: null, max_visits: null, forward_query: null },
      { 'content-type': 'application/merge-patch+json' },
    )
    expect(changed).toMatchObject({
      status: 200,
      etag: '"2"',
      body: {
        ...everyField,
        title: 'Another',
        tags: ['b'],
        note: null,
        max_visits: null,
        forward_query: false,
        state: 'active',
        updated_at: time,
      },
    })
    expect(await client.send('GET', `/api/links/${slug}`)).toMatchObject({ etag: '"2"', body: changed.body })
    const emptied = await client.send('PATCH', `/api/links/${slug}`, {
      title: null,
      tags: null,
      valid_from: null,
      expires_at: null,
      expired_url: null,
      disabled: null,
    })
    expect(emptied.body).toMatchObject({ title: null, tags: [], valid_from: null, expires_at: null })
  })

  test('leads to the new target, and ends with the link disabled', async () => {
    const { slug } = await client.create()
    await client.send('PATCH', `/api/links/${slug}`, { long_url: 'https://example.com/new' })
    expect((await client.send('GET', `/api/links/${slug}`)).body.long_url).toBe('https://example.com/new')
    const disabled = await client.send('PATCH', `/api/links/${slug}`, { disabled: true })
    expect(disabled.body).toMatchObject({ disabled: true, state: 'disabled' })
    const enabled = await client.send('PATCH', `/api/links/${slug}`, { disabled: false })
    expect(enabled.body).toMatchObject({ disabled: false, state: 'active' })
  })

  test('that changes nothing leaves the version and the time', async () => {
    const link = await client.create(everyField)
    for (const patch of [{}, everyField, { title: ' A title ' }])
      expect(await client.send('PATCH', `/api/links/${link.slug}`, patch)).toMatchObject({
        status: 200,
        etag: '"1"',
        body: link.body,
      })
  })

  test('may name an expiry that has passed, if it is the same', async () => {
    const expires_at = new Date(Date.now() + 400).toISOString()
    const { slug } = await client.create({ expires_at })
    await expect
      .poll(async () => (await client.send('GET', `/api/links/${slug}`)).body.state, { timeout: 20_000 })
      .toBe('expired')
    const changed = await client.send('PATCH', `/api/links/${slug}`, { expires_at, title: 'Over' })
    expect(changed).toMatchObject({ status: 200, body: { title: 'Over', expires_at, state: 'expired' } })
    const earlier = await client.send('PATCH', `/api/links/${slug}`, { expires_at: '2020-01-01T00:00:00Z' })
    expect(earlier.status).toBe(422)
  })

  test('of an unknown link has status 404', async () => {
    for (const slug of ['unknown', 'a.b', '%00', '%F0%9F%98%80', 'x'.repeat(65)])
      for (const method of ['GET', 'PATCH', 'DELETE'])
        expect(
          await client.send(method, `/api/links/${slug}`, method === 'PATCH' ? {} : undefined),
        ).toMatchObject({ status: 404 })
  })

  test('in another type than JSON has status 415', async () => {
    const { slug } = await client.create()
    for (const [method, path, type] of [
      ['PATCH', `/api/links/${slug}`, 'text/plain'],
      ['POST', '/api/links', 'application/merge-patch+json'],
    ] as const)
      expect((await client.send(method, path, '{}', { 'content-type': type })).status).toBe(415)
  })
})

describe('If-Match', () => {
  test.each([
    ['"1"', 200],
    ['*', 200],
    ['"7", "1"', 200],
    ['"7" , "1","8"', 200],
    ['"2"', 412],
    ['W/"1"', 412],
    ['1', 412],
    ['"1', 412],
    ['"7,"1"', 412],
    ['""', 412],
  ])('%s has status %i for a link whose ETag is "1"', async (ifMatch, status) => {
    const headers = { 'if-match': ifMatch }
    const { slug } = await client.create()
    const changed = await client.send('PATCH', `/api/links/${slug}`, { title: 'New' }, headers)
    expect(changed.status).toBe(status)
    const { slug: deleted } = await client.create()
    const { status: deletion } = await client.send('DELETE', `/api/links/${deleted}`, undefined, headers)
    expect(deletion).toBe(status === 200 ? 204 : 412)
  })

  test('lets exactly one of concurrent changes through', async () => {
    for (let round = 0; round < 5; round++) {
      const { slug, etag } = await client.create()
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          client.send('PATCH', `/api/links/${slug}`, { title: `By ${i}` }, { 'if-match': etag ?? '' }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412])
      const winner = answers.find(({ status }) => status === 200)
      expect(await client.send('GET', `/api/links/${slug}`)).toMatchObject({
        etag: '"2"',
        body: winner?.body,
      })
    }
  })

  test('without it, no concurrent change is lost', async () => {
    const { slug } = await client.create()
    await Promise.all([
      client.send('PATCH', `/api/links/${slug}`, { title: 'T' }),
      client.send('PATCH', `/api/links/${slug}`, { note: 'N' }),
      client.send('PATCH', `/api/links/${slug}`, { tags: ['x'] }),
      client.send('PATCH', `/api/links/${slug}`, { max_visits: 9 }),
    ])
    expect(await client.send('GET', `/api/links/${slug}`)).toMatchObject({
      etag: '"5"',
      body: { title: 'T', note: 'N', tags: ['x'], max_visits: 9 },
    })
  })
})

test.each([
  ['"1"', 304],
  ['W/"1"', 304],
  ['"0", "1"', 304],
  ['*', 304],
  ['"2"', 200],
  ['1', 200],
])('If-None-Match %s has status %i for a link whose ETag is "1"', async (ifNoneMatch, status) => {
  const { slug } = await client.create()
  const answer = await client.send('GET', `/api/links/${slug}`, undefined, { 'if-none-match': ifNoneMatch })
  expect(answer).toMatchObject({ status, etag: '"1"' })
})

describe('a deleted link', () => {
  test('is still shown, keeps its slug for ever, and can not be changed', async () => {
    const { slug } = await client.create({ title: 'Gone' })
    expect((await client.send('DELETE', `/api/links/${slug}`)).status).toBe(204)
    const shown = await client.send('GET', `/api/links/${slug}`)
    expect(shown).toMatchObject({
      status: 200,
      etag: '"2"',
      body: { state: 'deleted', title: 'Gone', deleted_at: time },
    })
    expect((await client.send('DELETE', `/api/links/${slug}`)).status).toBe(204)
    expect((await client.send('DELETE', `/api/links/${slug}`, undefined, { 'if-match': '"1"' })).status).toBe(
      204,
    )
    expect(await client.send('GET', `/api/links/${slug}`)).toMatchObject({ etag: '"2"', body: shown.body })
    expect((await client.send('PATCH', `/api/links/${slug}`, { title: 'Back' })).status).toBe(410)
    for (const path of ['/api/links', '/shorten'])
      expect(await client.send('POST', path, { long_url: 'https://example.com/', slug })).toMatchObject({
        status: 409,
        body: { errors: [{ pointer: '#/slug' }] },
      })
  })

  test('is not reused', async () => {
    const long_url = 'https://example.com/deleted'
    const first = await client.send('POST', '/shorten', { long_url, reuse: true })
    await client.send('DELETE', `/api/links/${first.body.slug}`)
    const second = await client.send('POST', '/shorten', { long_url, reuse: true })
    expect(second.status).toBe(201)
    expect(second.body.slug).not.toBe(first.body.slug)
  })
})

test('links that were made before they had fields can be changed', async () => {
  const slug = await shorten(origin)
  expect(await client.send('PATCH', `/api/links/${slug}`, { title: 'Old' })).toMatchObject({
    status: 200,
    etag: '"2"',
    body: { title: 'Old' },
  })
})
