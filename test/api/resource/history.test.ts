import fc from 'fast-check'
import type { Pool } from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { openPool, shorten, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import type { LinkClient } from './link-client.ts'
import { linkClient } from './link-client.ts'

let pool: Pool
let origin: string
let client: LinkClient

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  origin = (await startApi({ databaseUrl: url })).origin
  client = linkClient(origin)
})

type Entry = {
  at: string
  by: unknown
  via: string
  action: string
  changes: Record<string, [unknown, unknown]>
}

async function history(slug: string, query = ''): Promise<Entry[]> {
  const answer = await client.send('GET', `/api/links/${slug}/history${query}`)
  expect(answer.status).toBe(200)
  return answer.body as unknown as Entry[]
}

const time = expect.stringMatching(/^\d{4}-.*Z$/)
const common = { at: time, by: null, via: 'api' }

test('the history of a link has what changed, from what to what, newest first', async () => {
  const { slug, body } = await client.create({ title: 'First', tags: ['a'] })
  await client.send('PATCH', `/api/links/${slug}`, { title: 'Second', disabled: true })
  await client.send('PATCH', `/api/links/${slug}`, { title: 'Second' })
  await client.send('PATCH', `/api/links/${slug}`, { title: null, long_url: 'https://example.com/2' })
  await client.send('DELETE', `/api/links/${slug}`)
  await client.send('DELETE', `/api/links/${slug}`)
  const entries = await history(slug)
  expect(entries).toEqual([
    { ...common, action: 'link.deleted', changes: {} },
    {
      ...common,
      action: 'link.changed',
      changes: { title: ['Second', null], long_url: ['https://example.com/', 'https://example.com/2'] },
    },
    { ...common, action: 'link.changed', changes: { title: ['First', 'Second'], disabled: [false, true] } },
    {
      ...common,
      action: 'link.created',
      changes: { long_url: [null, 'https://example.com/'], title: [null, 'First'], tags: [[], ['a']] },
    },
  ])
  expect(entries.at(-1)?.at).toBe(body.created_at)
})

test('the creation is in the history of a link that was shortened without a key, with its first values', async () => {
  const slug = await shorten(origin, { long_url: 'https://example.com/old', title: 'Old', note: 'N' })
  const { rows } = await pool.query('SELECT FROM audit WHERE subject = $1', [slug])
  expect(rows).toHaveLength(0)
  const created = {
    ...common,
    action: 'link.created',
    changes: { long_url: [null, 'https://example.com/old'], title: [null, 'Old'], note: [null, 'N'] },
  }
  expect(await history(slug)).toEqual([created])
  await client.send('PATCH', `/api/links/${slug}`, { long_url: 'https://example.com/new', title: null })
  await client.send('PATCH', `/api/links/${slug}`, { long_url: 'https://example.com/newer', tags: ['x'] })
  expect((await history(slug)).at(-1)).toEqual(created)
})

test('history and audit come in pages', async () => {
  const { slug } = await client.create()
  for (let i = 1; i <= 6; i++) await client.send('PATCH', `/api/links/${slug}`, { title: `${i}` })
  for (const [path, entries] of [
    [`/api/links/${slug}/history?limit=3`, 7],
    [`/api/audit?limit=3&action=link.changed`, undefined],
  ] as const) {
    const all: Entry[] = []
    for (let next: string | undefined = path; next !== undefined; ) {
      const page = await client.send('GET', next)
      const part = page.body as unknown as Entry[]
      expect(page.next === undefined || part.length === 3).toBe(true)
      all.push(...part)
      next = page.next
    }
    expect(all.slice(0, 6).map(({ changes }) => changes.title?.[1])).toEqual(['6', '5', '4', '3', '2', '1'])
    if (entries !== undefined) expect(all).toHaveLength(entries)
    else expect(new Set(all.map(({ action }) => action))).toEqual(new Set(['link.changed']))
  }
})

test('the audit names links by their slug, and shows what one key did', async () => {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO keys (name, hash, hint, scopes) VALUES ('Press', 'x', 'hop_x', '{admin}') RETURNING id`,
  )
  const keyId = rows[0]?.id
  const { slug } = await client.create({ title: 'Mine' })
  await pool.query('UPDATE audit SET key_id = $1 WHERE subject = $2', [keyId, slug])
  await pool.query('UPDATE links SET created_by = $1 WHERE slug = $2', [keyId, slug])
  const by = { id: keyId, name: 'Press' }
  const entry = { by, via: 'api', action: 'link.created', subject: slug }
  expect((await client.send('GET', `/api/audit?key=${keyId}`)).body).toMatchObject([entry])
  expect((await client.send('GET', `/api/audit?key=${Number(keyId) + 1}`)).body).toEqual([])
  expect((await client.send('GET', `/api/audit?key=${keyId}&action=link.deleted`)).body).toEqual([])
  expect((await history(slug))[0]?.by).toEqual(by)
  expect((await client.send('GET', `/api/links/${slug}`)).body.created_by).toEqual(by)
})

test('no such link has no history, and a query is checked', async () => {
  for (const slug of ['unknown', '%00', 'a.b'])
    expect((await client.send('GET', `/api/links/${slug}/history`)).status).toBe(404)
  for (const query of [
    'limit=0',
    'limit=101',
    'after=x',
    'after=-1',
    'action=%00',
    'key=0',
    'key=1e999',
    'x=1',
  ])
    expect([query, (await client.send('GET', `/api/audit?${query}`)).status]).toEqual([query, 400])
})

const url = fc.webUrl({ validSchemes: ['https'] }).map(text => new URL(text).href)
const text = fc.constantFrom('a', 'Ä b', "'; DROP TABLE links; --", '%_\\', '💥')
const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.option(value)
const patch = fc.record(
  {
    long_url: fc.constantFrom('https://example.com/1', 'https://example.com/2'),
    title: nullable(text),
    note: nullable(text),
    tags: nullable(fc.uniqueArray(fc.constantFrom('a', 'b', 'c'))),
    valid_from: nullable(fc.constantFrom('2020-01-01T00:00:00.000Z', '2030-01-01T00:00:00.000Z')),
    expires_at: nullable(fc.constantFrom('2098-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z')),
    expired_url: nullable(url),
    max_visits: nullable(fc.integer({ min: 1, max: 1e12 })),
    forward_query: nullable(fc.boolean()),
    disabled: nullable(fc.boolean()),
  },
  { requiredKeys: [] },
)
const removed: Record<string, unknown> = { tags: [], forward_query: false, disabled: false }

test('whatever is changed, in whatever order: the link has it, and the history leads back to the creation', async () => {
  await fc.assert(
    fc.asyncProperty(patch, fc.array(patch, { maxLength: 5 }), async (first, patches) => {
      const { long_url = 'https://example.com/' } = first
      const created = await client.create({ ...first, long_url })
      let expected: Record<string, unknown> = created.body
      const states = [expected]
      for (const each of patches) {
        const answer = await client.send('PATCH', `/api/links/${created.slug}`, each)
        expect(answer.status).toBe(200)
        const set = Object.entries(each).map(([field, value]) => [field, value ?? removed[field] ?? null])
        expected = { ...expected, ...Object.fromEntries(set) }
        const { state: _, updated_at: __, ...rest } = expected
        if (
          JSON.stringify(rest) !==
          JSON.stringify({ ...states.at(-1), state: undefined, updated_at: undefined })
        )
          states.push(expected)
        expect(answer.body).toMatchObject(rest)
      }
      const back = { ...(await client.send('GET', `/api/links/${created.slug}`)).body }
      for (const { action, changes } of await history(created.slug)) {
        if (action === 'link.created') continue
        for (const [field, [before, after]] of Object.entries(changes)) {
          expect(back[field]).toEqual(after)
          back[field] = before
        }
      }
      const { state: _, updated_at: __, ...start } = created.body
      expect(back).toMatchObject(start)
    }),
    { numRuns: 40 },
  )
})
