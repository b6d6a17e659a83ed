import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { isNightly } from '../../support/nightly.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

let databaseUrl: string
let pool: Pool
/** Two processes on one database, as behind a load balancer. */
let one: RunningApi
let other: RunningApi

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  const started = await Promise.all([startApi({ databaseUrl }), startApi({ databaseUrl })])
  one = started[0]
  other = started[1]
})

interface Answer {
  status: number
  location: string | null
  slug: string
  short_url: string
  long_url: string
  created_at: string
  expires_at?: string
  errors?: { pointer: string; detail: string }[]
}

async function post({ origin }: RunningApi, body: Record<string, unknown>): Promise<Answer> {
  const response = await fetch(`${origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Omit<Answer, 'location'>
  return { ...answer, status: response.status, location: response.headers.get('location') }
}

async function follow({ origin }: RunningApi, slug: string): Promise<number> {
  const response = await fetch(`${origin}/${slug}`, { redirect: 'manual' })
  await response.arrayBuffer()
  return response.status
}

async function linksTo(longUrl: string): Promise<string[]> {
  const { rows } = await pool.query<{ slug: string }>('SELECT slug FROM links WHERE long_url = $1', [longUrl])
  return rows.map(row => row.slug)
}

let urls = 0
function newUrl(): string {
  return `https://example.com/${++urls}`
}

describe('a new link', () => {
  test('gets 201, its URL in Location and a complete description', async () => {
    const before = Date.now()
    const answer = await post(one, {
      long_url: 'HTTPS://Example.com/ü?b=c#d',
      expires_at: '2099-01-01T00:00:00+01:00',
    })
    expect(answer).toEqual({
      status: 201,
      location: answer.short_url,
      slug: expect.stringMatching(/^[A-Za-z0-9]{7}$/),
      short_url: `${one.origin}/${answer.slug}`,
      long_url: 'https://example.com/%C3%BC?b=c#d',
      created_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
      expires_at: '2098-12-31T23:00:00.000Z',
    })
    expect(Math.abs(Date.parse(answer.created_at) - before)).toBeLessThan(60_000)
    const response = await fetch(answer.location ?? '', { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([307, answer.long_url])
  })

  test('gets a new slug, even if the URL already has one', async () => {
    const longUrl = newUrl()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => post(i % 2 === 0 ? one : other, { long_url: longUrl })),
    )
    expect(new Set(answers.map(answer => answer.status))).toEqual(new Set([201]))
    expect(new Set(answers.map(answer => answer.slug)).size).toBe(50)
    expect((await linksTo(longUrl)).sort()).toEqual(answers.map(answer => answer.slug).sort())
  })

  test('can have a custom slug, and slugs are case-sensitive', async () => {
    expect(await post(one, { long_url: newUrl(), slug: 'Spring_Sale-2030' })).toMatchObject({
      status: 201,
      slug: 'Spring_Sale-2030',
      short_url: `${one.origin}/Spring_Sale-2030`,
    })
    expect(await post(one, { long_url: newUrl(), slug: 'spring_sale-2030' })).toMatchObject({ status: 201 })
    expect(await post(other, { long_url: newUrl(), slug: 'Spring_Sale-2030' })).toMatchObject({
      status: 409,
      errors: [{ pointer: '#/slug' }],
    })
  })

  test('redirects in the other process too as soon as its creation is confirmed', async () => {
    for (let i = 0; i < 20; i++) {
      const { slug } = await post(i % 2 === 0 ? one : other, { long_url: newUrl() })
      expect(await follow(i % 2 === 0 ? other : one, slug)).toBe(307)
    }
  })

  test.each([
    ...(isNightly
      ? [
          ['https://go.example', 'https://go.example'],
          ['http://10.0.0.1', 'http://10.0.0.1'],
        ]
      : []),
    ['https://go.example:8443', 'https://go.example:8443'],
    // Origins as the URL Standard serializes them (section 4.7).
    ['https://GO.Bücher.example:443', 'https://go.xn--bcher-kva.example'],
  ])('has PUBLIC_URL in its address: %s', async (publicUrl, origin) => {
    const api = await startApi({ databaseUrl, env: { PUBLIC_URL: publicUrl } })
    const { slug, short_url, location } = await post(api, { long_url: newUrl() })
    expect([short_url, location]).toEqual([`${origin}/${slug}`, `${origin}/${slug}`])
    expect(await post(api, { long_url: `${origin}/abc` })).toMatchObject({ status: 422 })
    expect(await post(api, { long_url: `${api.origin}/abc` })).toMatchObject({ status: 422 })
    expect(await follow(api, slug)).toBe(307)
    await api.process.stop()
  })

  test.each(['http://127.0.0.1/', 'http://intranet/', 'http://[::1]/'])(
    'may have a private target if ALLOW_PRIVATE_TARGETS is set: %s',
    async longUrl => {
      expect(await post(one, { long_url: longUrl })).toMatchObject({ status: 422 })
      privateAllowed ??= startApi({ databaseUrl, env: { ALLOW_PRIVATE_TARGETS: 'true' } })
      expect(await post(await privateAllowed, { long_url: longUrl })).toMatchObject({ status: 201 })
    },
  )
  let privateAllowed: Promise<RunningApi> | undefined
})

describe('of concurrent requests through two processes', () => {
  test('for one slug, exactly one gets it and the others are told that it is taken', async () => {
    for (let round = 0; round < 5; round++) {
      const slug = `wanted-${round}`
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => post(i % 2 === 0 ? one : other, { long_url: newUrl(), slug })),
      )
      const won = answers.filter(answer => answer.status === 201)
      expect(won).toHaveLength(1)
      expect(answers.filter(answer => answer.status === 409)).toHaveLength(19)
      const response = await fetch(`${other.origin}/${slug}`, { redirect: 'manual' })
      expect(response.headers.get('location')).toBe(won[0]?.long_url)
    }
  })

  test('to reuse one URL, exactly one creates a link and the others find it', async () => {
    for (let round = 0; round < 5; round++) {
      const longUrl = newUrl()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          post(i % 2 === 0 ? one : other, { long_url: longUrl, reuse: true }),
        ),
      )
      expect(answers.map(answer => answer.status).sort()).toEqual([...Array(19).fill(200), 201])
      expect(new Set(answers.map(answer => answer.slug)).size).toBe(1)
      expect(await linksTo(longUrl)).toEqual([answers[0]?.slug])
    }
  })

  test('each creates its own link, whatever the others ask for', async () => {
    const wanted = Array.from({ length: 120 }, (_, i) => ({
      long_url: newUrl(),
      ...(i % 3 === 1 && { slug: `own-${i}` }),
      ...(i % 5 === 2 && { expires_at: `2099-01-01T00:00:${String(i % 60).padStart(2, '0')}.000Z` }),
      ...(i % 15 === 3 && { reuse: true }),
    }))
    const answers = await Promise.all(wanted.map((body, i) => post(i % 4 === 0 ? other : one, body)))
    const { rows } = await pool.query<{ slug: string; long_url: string; expires_at: Date | null }>(
      'SELECT slug, long_url, expires_at FROM links WHERE slug = ANY($1)',
      [answers.map(answer => answer.slug)],
    )
    const stored = new Map(rows.map(row => [row.slug, row]))
    for (const [i, { long_url, slug, expires_at }] of wanted.entries()) {
      const answer = answers[i]
      expect(answer).toMatchObject({ status: 201, long_url, ...(slug && { slug }) })
      const row = stored.get(answer?.slug ?? '')
      expect([row?.long_url, row?.expires_at?.toISOString()]).toEqual([long_url, expires_at])
    }
  })
})

describe('reuse', () => {
  test('finds the oldest link to the URL in its stored form', async () => {
    const first = await post(one, { long_url: 'https://example.com/reuse?a=ü' })
    await post(one, { long_url: 'https://example.com/reuse?a=ü' })
    const found = await post(other, { long_url: 'HTTPS://EXAMPLE.com:443/reuse?a=%C3%BC', reuse: true })
    expect(found).toEqual({
      ...first,
      status: 200,
      short_url: `${other.origin}/${first.slug}`,
      location: `${other.origin}/${first.slug}`,
    })
  })

  test('creates a link if there is none, or only one that expires', async () => {
    const longUrl = newUrl()
    const expiring = await post(one, { long_url: longUrl, expires_at: '2099-01-01T00:00:00Z' })
    const lasting = await post(one, { long_url: longUrl, reuse: true })
    expect(lasting.status).toBe(201)
    expect(lasting.slug).not.toBe(expiring.slug)
    expect(await post(other, { long_url: longUrl, reuse: true })).toMatchObject({
      status: 200,
      slug: lasting.slug,
    })
  })

  test('false creates a new link', async () => {
    const longUrl = newUrl()
    const first = await post(one, { long_url: longUrl, reuse: true })
    const second = await post(one, { long_url: longUrl, reuse: false })
    expect([second.status, second.slug === first.slug]).toEqual([201, false])
  })

  test.each([{ slug: 'mine' }, { expires_at: '2099-01-01T00:00:00Z' }])(
    'can not be combined with %j',
    async fields => {
      const longUrl = newUrl()
      expect(await post(one, { long_url: longUrl, reuse: true, ...fields })).toMatchObject({
        status: 422,
        errors: [{ pointer: '#/reuse' }],
      })
      expect(await linksTo(longUrl)).toEqual([])
    },
  )
})

describe('a slug that was requested before it existed', () => {
  test('redirects immediately in the process that created it, and soon in the other one', async () => {
    for (const slug of ['early-1', 'early-2', 'early-3']) {
      expect(await Promise.all([follow(one, slug), follow(other, slug)])).toEqual([404, 404])
      await post(one, { long_url: newUrl(), slug })
      expect(await follow(one, slug)).toBe(307)
      // Well under the 30 s for which an absent slug is cached.
      await waitUntil(async () => (await follow(other, slug)) === 307, {
        what: `/${slug} redirects in the other process`,
        deadlineMs: 10_000,
        everyMs: 5,
      })
    }
  })

  test('is cached as absent until the notice of its creation arrives', async () => {
    // A process caches absent slugs only while it receives notices of changes.
    await waitUntil(
      async () => {
        const { rows } = await pool.query<{ count: number }>(
          `SELECT count(*)::int FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'hopcount link changes'`,
        )
        return (rows[0]?.count ?? 0) >= 2
      },
      { what: 'both processes listen' },
    )
    const slug = 'unannounced'
    expect(await Promise.all([follow(one, slug), follow(other, slug)])).toEqual([404, 404])
    await pool.query(`INSERT INTO links (slug, long_url) VALUES ($1, 'https://example.com/')`, [slug])
    expect(await Promise.all([follow(one, slug), follow(other, slug)])).toEqual([404, 404])
    await pool.query(`SELECT pg_notify('hopcount_links', $1)`, [`a ${slug} b`])
    for (const api of [one, other])
      await waitUntil(async () => (await follow(api, slug)) === 307, {
        what: `/${slug} redirects`,
        deadlineMs: 10_000,
      })
  })

  test('redirects, whatever was requested at the moment of its creation', async () => {
    for (let round = 0; round < 20; round++) {
      const slug = `race-${round}`
      await Promise.all([
        follow(one, slug),
        follow(other, slug),
        post(one, { long_url: newUrl(), slug }),
        follow(one, slug),
        follow(other, slug),
      ])
      expect(await follow(one, slug)).toBe(307)
    }
  })
})

test('no slug can shadow a route: every word in a slug’s place is reserved in any case', async () => {
  const document = (await (await fetch(`${one.origin}/openapi.json`)).json()) as {
    paths: Record<string, unknown>
  }
  const words = Object.keys(document.paths).map(path => /^(?:\/stats)?\/([^/{]+)/.exec(path)?.[1] ?? 'stats')
  expect(words).toEqual(
    expect.arrayContaining([
      'shorten',
      'stats',
      'healthz',
      'readyz',
      'metrics',
      'overall',
      'live',
      'orphans',
    ]),
  )
  for (const word of [...words, 'docs']) {
    for (const slug of [word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)]) {
      expect(await post(one, { long_url: newUrl(), slug }), slug).toMatchObject({
        status: 422,
        errors: [{ pointer: '#/slug' }],
      })
    }
  }
})
