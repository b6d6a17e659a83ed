import type { Pool } from 'pg'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi, visit } from '../../support/hopcount.ts'
import { makeKey } from '../../support/keys.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

let databaseUrl: string
let pool: Pool
/** Two processes on one database, as behind a load balancer. */
let one: RunningApi
let other: RunningApi
const env = { TRUST_PROXY: '127.0.0.1', RATE_LIMIT_WRITES: '0' }

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  ;[one, other] = await Promise.all([startApi({ databaseUrl, env }), startApi({ databaseUrl, env })])
})

let keys = 0
let key: string
let longUrl: string
beforeEach(() => {
  key = `key-${++keys}`
  longUrl = `https://example.com/${keys}`
})

interface Answer {
  status: number
  headers: Record<string, string | null>
  text: string
}

async function post(
  { origin }: RunningApi,
  body: unknown,
  headers: Record<string, string> = { 'idempotency-key': key },
): Promise<Answer> {
  const response = await fetch(`${origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const kept = ['location', 'content-type', 'cache-control', 'idempotent-replayed', 'retry-after']
  return {
    status: response.status,
    headers: Object.fromEntries(kept.map(name => [name, response.headers.get(name)])),
    text: await response.text(),
  }
}

async function linksTo(url: string): Promise<number> {
  const { rowCount } = await pool.query('SELECT FROM links WHERE long_url = $1', [url])
  return rowCount ?? 0
}

describe('a repeated request with the same Idempotency-Key', () => {
  test('creates nothing and gets the first response again, from any process', async () => {
    const first = await post(one, { long_url: longUrl, slug: `slug-${key}` })
    expect(first).toMatchObject({ status: 201, headers: { 'idempotent-replayed': null } })
    for (const api of [one, other, other])
      expect(await post(api, { long_url: longUrl, slug: `slug-${key}` })).toEqual({
        ...first,
        headers: { ...first.headers, 'idempotent-replayed': 'true' },
      })
    expect(await linksTo(longUrl)).toBe(1)
    expect(await visit(other.origin, `slug-${key}`)).toBe(longUrl)
  })

  test('gets the same response as one without the header, apart from its slug', async () => {
    const withKey = await post(one, { long_url: longUrl, expires_at: '2099-01-01T00:00:00Z' })
    const without = await post(one, { long_url: longUrl, expires_at: '2099-01-01T00:00:00Z' }, {})
    const { slug, short_url, created_at, ...rest } = JSON.parse(without.text)
    expect(JSON.parse(withKey.text)).toMatchObject(rest)
    expect(Object.keys(JSON.parse(withKey.text))).toEqual(Object.keys(JSON.parse(without.text)))
    expect({ ...withKey.headers, location: '' }).toEqual({ ...without.headers, location: '' })
  })

  test('gets it although the time it names has passed meanwhile', async () => {
    const expiry = new Date(Date.now() + 1_500)
    const body = { long_url: longUrl, expires_at: expiry.toISOString() }
    const first = await post(one, body)
    expect(first.status).toBe(201)
    await waitUntil(() => Date.now() > expiry.getTime(), { what: 'the time has passed' })
    expect(await post(other, body)).toMatchObject({ status: 201, text: first.text })
  })

  test('creates a link again after 24 h', async () => {
    await post(one, { long_url: longUrl })
    await pool.query(`UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 second'`)
    for (const api of [one, other]) expect((await post(api, { long_url: longUrl })).status).toBe(201)
    expect(await linksTo(longUrl)).toBe(2)
  })

  test('of concurrent ones, through two processes, one creates; each of the others gets its response or 409', async () => {
    for (let round = 0; round < 5; round++) {
      key = `burst-${round}`
      longUrl = `https://example.com/burst/${round}`
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => post(i % 2 === 0 ? one : other, { long_url: longUrl })),
      )
      const served = answers.filter(answer => answer.status === 201)
      expect(served.length).toBeGreaterThan(0)
      expect(new Set(served.map(answer => answer.text)).size).toBe(1)
      expect(served.filter(answer => answer.headers['idempotent-replayed'] === null)).toHaveLength(1)
      for (const { status } of answers) expect([201, 409]).toContain(status)
      expect(await linksTo(longUrl)).toBe(1)
    }
  })
})

describe('the same Idempotency-Key', () => {
  test('with another body is refused', async () => {
    const first = await post(one, { long_url: longUrl })
    expect(await post(other, { long_url: `${longUrl}?other` })).toMatchObject({ status: 422 })
    expect(await post(other, { long_url: longUrl, reuse: false })).toMatchObject({ status: 422 })
    expect(await linksTo(`${longUrl}?other`)).toBe(0)
    expect(await post(other, { long_url: longUrl })).toMatchObject({ status: 201, text: first.text })
  })

  test('may be used again after a refusal, which is not stored', async () => {
    const slug = `taken-${key}`
    await post(one, { long_url: longUrl, slug }, {})
    for (let i = 0; i < 2; i++) expect((await post(one, { long_url: longUrl, slug })).status).toBe(409)
    expect((await post(one, { long_url: 'javascript:alert(1)' })).status).toBe(422)
    expect(await post(one, { long_url: longUrl })).toMatchObject({
      status: 201,
      headers: { 'idempotent-replayed': null },
    })
  })

  test('from another network is another key', async () => {
    const from = (address: string) => ({ 'idempotency-key': key, 'x-forwarded-for': address })
    const first = await post(one, { long_url: longUrl }, from('203.0.113.7'))
    const stranger = await post(one, { long_url: longUrl }, from('203.0.113.8'))
    expect(stranger).toMatchObject({ status: 201, headers: { 'idempotent-replayed': null } })
    expect(stranger.text).not.toBe(first.text)
    const ipv6 = await post(one, { long_url: longUrl }, from('2001:db8::1'))
    expect(await post(other, { long_url: longUrl }, from('2001:db8::2'))).toMatchObject({ text: ipv6.text })
  })

  test('is refused while a request with it is under way, and creates nothing if that is killed', async () => {
    const doomed = await startApi({ databaseUrl, env })
    const blocking = await pool.connect()
    await blocking.query('BEGIN; LOCK TABLE idempotency_keys IN SHARE MODE')
    const cut = post(doomed, { long_url: longUrl, slug: 'cut-off' }).catch(() => 'cut off')
    await waitForBlocked('INSERT INTO idempotency_keys')
    expect(await post(one, { long_url: longUrl, slug: 'cut-off' })).toMatchObject({
      status: 409,
      headers: { 'retry-after': '1' },
    })
    doomed.process.kill('SIGKILL')
    expect(await cut).toBe('cut off')
    await blocking.query('COMMIT')
    blocking.release()
    expect((await repeat({ long_url: longUrl, slug: 'cut-off' })).headers['idempotent-replayed']).toBeNull()
    expect(await linksTo(longUrl)).toBe(1)
  })

  test('gets the response of a process that was killed while it committed', async () => {
    await pool.query(`
      CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON idempotency_keys
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_commit()`)
    const doomed = await startApi({ databaseUrl, env })
    const blocking = await pool.connect()
    await blocking.query('BEGIN; SELECT pg_advisory_xact_lock(42)')
    const cut = post(doomed, { long_url: longUrl }).catch(() => 'cut off')
    await waitForBlocked('COMMIT')
    doomed.process.kill('SIGKILL')
    expect(await cut).toBe('cut off')
    await blocking.query('COMMIT')
    blocking.release()
    await waitUntil(async () => (await linksTo(longUrl)) === 1, { what: 'the transaction is committed' })
    await pool.query('DROP TRIGGER wait_at_commit ON idempotency_keys')
    expect((await repeat({ long_url: longUrl })).headers['idempotent-replayed']).toBe('true')
    expect(await linksTo(longUrl)).toBe(1)
  })
})

async function waitForBlocked(query: string): Promise<void> {
  await waitUntil(
    async () => {
      const { rowCount } = await pool.query(
        `SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND starts_with(query, $1)`,
        [query],
      )
      return rowCount === 1
    },
    { what: `${query} waits for a lock` },
  )
}

/** As clients do: again while the key belongs to a request under way. */
function repeat(body: unknown): Promise<Answer> {
  return waitUntil(
    async () => {
      const answer = await post(other, body)
      return answer.status === 201 && answer
    },
    { what: 'the repeated request is served' },
  )
}

describe('the header', () => {
  test.each([
    ['in quotes, as the draft has it', `"quoted"`, 'quoted'],
    ['with escaped characters', `"a\\"b\\\\c"`, `a"b\\c`],
    ['of 255 characters', 'k'.repeat(255), `"${'k'.repeat(255)}"`],
  ])('may be %s', async (_, first, second) => {
    const created = await post(one, { long_url: longUrl }, { 'idempotency-key': first })
    expect(created.status).toBe(201)
    expect(await post(one, { long_url: longUrl }, { 'idempotency-key': second })).toMatchObject({
      text: created.text,
    })
  })

  test.each([
    ['empty', ''],
    ['empty in quotes', '""'],
    ['without the second quote', '"abc'],
    ['two keys', '"a", "b"'],
    ['two bare keys', 'a, b'],
    ['too long', 'k'.repeat(256)],
    ['not ASCII', 'schlüssel'],
  ])('must not be %s', async (_, header) => {
    expect(await post(one, { long_url: longUrl }, { 'idempotency-key': header })).toMatchObject({
      status: 400,
      headers: { 'content-type': expect.stringContaining('application/problem+json') },
    })
    expect(await linksTo(longUrl)).toBe(0)
  })
})

test('the database has neither the key nor the response in clear', async () => {
  const { text } = await post(
    one,
    { long_url: `${longUrl}/secret-target` },
    { 'idempotency-key': 'my-secret-key' },
  )
  const { rows } = await pool.query<{ row: string; response: Buffer }>(
    'SELECT idempotency_keys::text AS row, response FROM idempotency_keys',
  )
  for (const { row, response } of rows) {
    expect(row).not.toContain('my-secret-key')
    expect(response.toString('latin1')).not.toMatch(/my-secret-key|secret-target/)
  }
  expect(text).toContain('secret-target')
})

describe('where API keys are on', () => {
  test('an Idempotency-Key belongs to the API key, wherever it is used, and a new key is shown again', async () => {
    const api = await startApi({ databaseUrl, env: { ...env, ACCESS: 'keys' } })
    const [mine, theirs] = [await makeKey(pool, ['admin']), await makeKey(pool, ['admin'])]
    const create = async (apiKey: string, address: string) => {
      const response = await fetch(`${api.origin}/api/keys`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': 'new-key',
          'x-forwarded-for': address,
        },
        body: JSON.stringify({ name: 'new', scopes: ['links:read'] }),
      })
      return { status: response.status, key: ((await response.json()) as { key?: string }).key }
    }
    const first = await create(mine.key, '203.0.113.7')
    expect(first).toEqual({ status: 201, key: expect.stringMatching(/^hop_/) })
    expect(await create(mine.key, '203.0.113.8')).toEqual(first)
    const other = await create(theirs.key, '203.0.113.7')
    expect([other.status, other.key === first.key]).toEqual([201, false])
    expect((await create('hop_wrong', '203.0.113.7')).status).toBe(401)
    const { rows } = await pool.query('SELECT response FROM idempotency_keys')
    for (const { response } of rows) expect(response.toString('latin1')).not.toContain(first.key)
  })
})
