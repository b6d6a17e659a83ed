/**
 * Whatever arrives as slug, URL, header or body: a valid response with a status below 500, nothing stored that can't be
 * read back, at most one log line, and no status that the OpenAPI document does not list.
 */
import fc from 'fast-check'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import type { RunningApi } from '../support/hopcount.ts'
import { openPool, shorten, startApi } from '../support/hopcount.ts'
import { isNightly } from '../support/nightly.ts'
import { createTestDatabase } from '../support/test-database.ts'
import type { RawAnswer } from './raw-http.ts'
import { answerTo, expectProblem, requestBytes, shortenBytes } from './requests.ts'

let api: RunningApi
let pool: Pool
/** `GET /stats 200`, for the routes of the OpenAPI document. */
const answered = new Set<string>()
let requests = 0

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  api = await startApi({ databaseUrl: url })
})

/** Of node-postgres: a connection, with or without a pool. */
const connectionTimeout =
  /^(timeout expired|Connection terminated due to connection timeout|timeout exceeded when trying to connect)$/

afterAll(() => {
  const lines = api.process.output().trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(requests)
  for (const line of lines) {
    expect(line).toMatch(/^[\x20-\x7e\u00a0-\uffff]*$/)
    const { level, part, reason } = JSON.parse(line)
    // A process that hardly gets the processor when it starts connects too late, whatever arrives, and says so.
    const isLate = part !== undefined && connectionTimeout.test(reason)
    if (!isLate) expect(level, line).toBeLessThan(50)
  }
})

/** Sends the bytes, and checks what must be true of every response. */
async function ask(bytes: string): Promise<RawAnswer> {
  const linesBefore = logLines()
  const answer = await answerTo(api.port, bytes)
  requests++
  expect(answer.status).toBeLessThan(500)
  expect(logLines() - linesBefore).toBeLessThanOrEqual(1)
  const [method = '', path = ''] = bytes.split(' ', 2)
  if (answer.status >= 400 && method !== 'HEAD') expectProblem(answer, answer.status)
  const [pathname = ''] = path.split(/[?#]/)
  // The page is not part of the API that the document describes.
  if (pathname !== '/') answered.add(`${method} ${routeOf(pathname)} ${answer.status}`)
  return answer
}

function logLines(): number {
  return api.process.output().split('\n').length
}

const routes = ['/shorten', '/stats', '/stats/overall', '/healthz', '/readyz', '/metrics', '/openapi.json']

/** Reports of all links and of one link; the document writes the slug as a parameter. */
const reports = ['breakdowns', 'filtered', 'visits', 'export']

/** The path as the OpenAPI document writes it; undefined if there is no route. */
function routeOf(pathname: string): string | undefined {
  if (routes.includes(pathname)) return pathname
  const [, subject, report = ''] = /^\/stats\/([^/]*)\/([^/]*)$/.exec(pathname) ?? []
  if (subject !== undefined && reports.includes(report))
    return subject === 'overall' ? pathname : `/stats/{slug}/${report}`
  if (/^\/stats\/[^/]*$/.test(pathname)) return '/stats/{slug}'
  return /^\/[^/]+$/.test(pathname) ? '/{slug}' : undefined
}

/** After a 201 the link must redirect and have statistics. */
async function readBack(answer: RawAnswer): Promise<void> {
  const link = JSON.parse(answer.body) as { slug: string; long_url: string; short_url: string }
  expect(answer.headers.get('location')).toBe(link.short_url)
  const followed = await ask(requestBytes('GET', new URL(link.short_url).pathname))
  expect([followed.status, followed.headers.get('location')]).toEqual([307, link.long_url])
  const stats = await ask(requestBytes('GET', `/stats/${link.slug}`))
  expect(stats.status).toBe(200)
  expect(JSON.parse(stats.body)).toMatchObject({ slug: link.slug, long_url: link.long_url })
}

async function countLinks(): Promise<number> {
  const { rows } = await pool.query<{ links: number }>('SELECT count(*)::int AS links FROM links')
  return rows[0]?.links ?? 0
}

const codeUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
  .map(units => String.fromCharCode(...units))
const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), codeUnits)
const slugCharacters = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const anySlug = fc.oneof(
  anyText,
  slugCharacters,
  fc.constantFrom('stats', 'Shorten', '__proto__', 'constructor', 'toString', '..', '%2f', 'a/b', '-', '_'),
)
const anyUrl = fc.oneof(
  anyText,
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  anyText.map(text => `https://example.com/${text}`),
  anyText.map(text => `https://example.com?${text}`),
  anyText.map(text => `https://${text}.com/`),
)
/** Bytes that a header value may contain (RFC 9110, section 5.5), and occasionally one that it may not. */
const headerValue = fc
  .array(
    fc.oneof(
      { weight: 30, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
      { weight: 10, arbitrary: fc.integer({ min: 0x80, max: 0xff }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xff }) },
    ),
    { maxLength: 40 },
  )
  .map(bytes => String.fromCharCode(...bytes))
const ascii = (text: string) => Buffer.from(text).toString('latin1')

describe('whatever arrives', () => {
  test('as the slug of a new link', async () => {
    await fc.assert(
      fc.asyncProperty(anySlug, async slug => {
        const before = await countLinks()
        const answer = await ask(shortenBytes({ long_url: 'https://example.com/', slug }))
        expect([201, 409, 422]).toContain(answer.status)
        expect((await countLinks()) - before).toBe(answer.status === 201 ? 1 : 0)
        if (answer.status === 201) {
          expect(JSON.parse(answer.body).slug).toBe(slug)
          await readBack(answer)
        }
      }),
      { numRuns: isNightly ? 300 : 75 },
    )
  })

  test('as the URL of a new link', async () => {
    await fc.assert(
      fc.asyncProperty(anyUrl, fc.boolean(), async (longUrl, reuse) => {
        const answer = await ask(shortenBytes({ long_url: longUrl, reuse }))
        expect([200, 201, 422]).toContain(answer.status)
        if (answer.status < 300) await readBack(answer)
      }),
      { numRuns: isNightly ? 400 : 100 },
    )
  })

  test('as the expiry of a new link', async () => {
    const expiry = fc.oneof(
      anyText,
      fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
      fc
        .date({ min: new Date('2090-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map(date => date.toISOString()),
    )
    await fc.assert(
      fc.asyncProperty(expiry, async expires_at => {
        const answer = await ask(shortenBytes({ long_url: 'https://example.com/', expires_at }))
        expect([201, 422]).toContain(answer.status)
        if (answer.status === 201) await readBack(answer)
      }),
      { numRuns: 100 },
    )
  })

  test('as the JSON of a body', async () => {
    const fields = fc.record(
      {
        long_url: fc.oneof(fc.constant('https://example.com/'), fc.jsonValue()),
        slug: fc.jsonValue(),
        reuse: fc.oneof(fc.boolean(), fc.jsonValue()),
        expires_at: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const value = fc.oneof(
      fc.jsonValue(),
      fields,
      fc
        .tuple(fields, fc.dictionary(anyText, fc.jsonValue()))
        .map(([known, unknown]) => ({ ...unknown, ...known })),
    )
    await fc.assert(
      fc.asyncProperty(value, async body => {
        const answer = await ask(shortenBytes(body))
        if (answer.status < 300) await readBack(answer)
      }),
      { numRuns: isNightly ? 400 : 100 },
    )
  })

  test('as the bytes of a body', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array).toString('latin1')),
      // JSON with a few changed bytes.
      fc.tuple(fc.nat(50), fc.uint8Array({ minLength: 1, maxLength: 3 })).map(([at, array]) => {
        const json = '{"long_url": "https://example.com/", "reuse": false, "slug": "abc"}'
        return json.slice(0, at) + Buffer.from(array).toString('latin1') + json.slice(at + array.length)
      }),
    )
    await fc.assert(
      fc.asyncProperty(bytes, headerValue, fc.boolean(), async (body, type, isJson) => {
        const contentType = isJson ? 'application/json' : type
        const answer = await ask(shortenBytes(body, { 'content-type': contentType }))
        if (answer.status < 300) await readBack(answer)
      }),
      { numRuns: isNightly ? 400 : 100 },
    )
  })

  test('as the slug of a visit, and of statistics', async () => {
    const segment = fc.oneof(
      anySlug.map(text => encodeURIComponent(text.toWellFormed())),
      fc
        .array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: 30 })
        .map(units => String.fromCharCode(...units)),
      fc
        .array(fc.nat(255))
        .map(bytes => bytes.map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')),
    )
    await fc.assert(
      fc.asyncProperty(segment, fc.constantFrom('GET', 'HEAD'), async (path, method) => {
        await ask(requestBytes(method, `/${path}`))
        await ask(requestBytes('GET', `/stats/${path}`))
      }),
      { numRuns: isNightly ? 400 : 100 },
    )
  })

  test('as the headers of a visit', async () => {
    const slug = await shorten(api.origin)
    const names = fc.constantFrom(
      'user-agent',
      'referer',
      'host',
      'cookie',
      'accept',
      'range',
      'if-none-match',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'forwarded',
      'origin',
      'upgrade',
      'expect',
      'authorization',
      'x-http-method-override',
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, headerValue, { maxKeys: 5 }), async headers => {
        const answer = await ask(requestBytes('GET', `/${slug}`, headers))
        expect([307, 400, 417]).toContain(answer.status)
        if (answer.status === 307) expect(answer.headers.get('location')).toBe('https://example.com/')
      }),
      { numRuns: isNightly ? 400 : 100 },
    )
  })

  test('as the headers of a new link', async () => {
    const names = fc.constantFrom(
      'host',
      'x-forwarded-host',
      'content-encoding',
      'expect',
      'accept',
      'origin',
    )
    const host = fc.oneof(
      headerValue,
      fc.domain(),
      fc.ipV6().map(address => `[${address}]:8080`),
      fc.ipV4(),
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, host, { maxKeys: 3 }), async headers => {
        const answer = await ask(shortenBytes({ long_url: 'https://example.com/page' }, headers))
        if (answer.status < 300) await readBack(answer)
      }),
      { numRuns: isNightly ? 300 : 75 },
    )
  })

  test('as the query of statistics', async () => {
    const slug = await shorten(api.origin)
    const value = fc.oneof(
      anyText,
      fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
      fc.constantFrom(
        'hour',
        'day',
        'month',
        'UTC',
        'Asia/Kathmandu',
        '1',
        '100',
        '24h',
        '5.5',
        '2026-01-01',
        '1767225600000.3',
        'minute',
        'uniques',
        'last_visit',
        'previous',
        'referrer',
        'ndjson',
        'true',
        'DE',
      ),
      fc.double().map(String),
    )
    const names = fc.constantFrom(
      ...['limit', 'window', 'after', 'before', 'interval', 'from', 'to', 'tz', 'sort', 'search', 'other'],
      ...['compare', 'dimension', 'sparkline', 'class', 'referrer', 'country', 'language', 'what', 'format'],
    )
    const paths = ['', '/overall', `/${slug}`].flatMap(path =>
      path === '' ? [path] : [path, ...reports.map(report => `${path}/${report}`)],
    )
    const query = fc
      .array(fc.tuple(names, value), { maxLength: 4 })
      .map(pairs =>
        ascii(pairs.map(([name, text]) => `${name}=${encodeURIComponent(text.toWellFormed())}`).join('&')),
      )
    await fc.assert(
      fc.asyncProperty(query, async parameters => {
        for (const path of paths)
          expect([200, 400]).toContain((await ask(requestBytes('GET', `/stats${path}?${parameters}`))).status)
      }),
      { numRuns: isNightly ? 400 : 100 },
    )
  })
})

interface OpenApi {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

interface Operation {
  operationId: string
  summary: string
  parameters?: { name: string; in: string; required: boolean; schema: unknown }[]
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>
}

describe('the OpenAPI document', () => {
  let document: OpenApi
  let operations: { path: string; method: string; operation: Operation }[]
  beforeAll(async () => {
    const answer = await ask(requestBytes('GET', '/openapi.json'))
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    document = JSON.parse(answer.body) as OpenApi
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )
  })

  test('is a complete OpenAPI 3.1 document', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/)
    expect(document.info).toMatchObject({ title: 'Hopcount', version: manifest.version })
    expect(operations.map(({ path, method }) => `${method} ${path}`).sort()).toEqual([
      'delete /api/keys/{id}',
      'delete /api/links/bulk',
      'delete /api/links/{slug}',
      'delete /api/session',
      'get /api/audit',
      'get /api/keys',
      'get /api/links',
      'get /api/links/export',
      'get /api/links/{slug}',
      'get /api/links/{slug}/history',
      'get /api/session',
      'get /api/tags',
      'get /healthz',
      'get /metrics',
      'get /openapi.json',
      'get /readyz',
      'get /stats',
      'get /stats/live',
      'get /stats/orphans',
      'get /stats/overall',
      ...reports.map(report => `get /stats/overall/${report}`).sort(),
      'get /stats/{slug}',
      ...[...reports, 'live'].map(report => `get /stats/{slug}/${report}`).sort(),
      'get /{slug}',
      'head /{slug}',
      'patch /api/links/bulk',
      'patch /api/links/{slug}',
      'post /api/keys',
      'post /api/links',
      'post /api/links/bulk',
      'post /api/session',
      'post /shorten',
    ])
    // A list of schemas in `items`, as in older drafts of JSON Schema.
    expect(JSON.stringify(document)).not.toContain('"items":[')
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations) {
      expect(operation.summary).toMatch(/^[A-Z]/)
      const inPath = operation.parameters?.filter(parameter => parameter.in === 'path') ?? []
      expect(inPath.map(({ name, required }) => [`{${name}}`, required])).toEqual(
        [...path.matchAll(/\{\w+\}/g)].map(([name]) => [name, true]),
      )
      for (const parameter of operation.parameters ?? []) {
        expect(parameter.schema).toBeTypeOf('object')
        expect(parameter.required).toBe(parameter.in === 'path')
      }
    }
  })

  test('describes every response, and declares problems as problem+json', () => {
    for (const { path, method, operation } of operations) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const where = `${method} ${path} ${status}`
        expect(status, where).toMatch(/^[2-5]\d\d$/)
        expect(response.description, where).toMatch(/./)
        expect(response.description, where).not.toBe('Default Response')
        if (Number(status) >= 400) {
          expect(response.content, where).toEqual({
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          })
        }
      }
    }
    expect(document.components.schemas.Problem).toMatchObject({
      required: ['type', 'title', 'status', 'detail'],
    })
  })

  test('contains no dangling references', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, target]) => target ?? '',
    )
    expect(references.length).toBeGreaterThan(10)
    for (const reference of references) {
      const [root, ...names] = reference.split('/')
      const target = names.reduce<unknown>((value, name) => Object(value)[name], document)
      expect([root, typeof target], reference).toEqual(['#', 'object'])
    }
  })

  test('lists every status that a route returned in these tests, and no method that it refuses', async () => {
    const link = { long_url: 'https://example.com/tour', slug: 'tour' }
    for (const path of routes) await ask(requestBytes('GET', path))
    await ask(shortenBytes(link))
    await ask(shortenBytes(link))
    await ask(shortenBytes({ long_url: link.long_url, reuse: true }))
    await ask(shortenBytes(`{"long_url": "${'x'.repeat(9_000)}"}`))
    await ask(shortenBytes(link, { 'content-type': 'text/plain' }))
    await ask(shortenBytes({ long_url: 'ftp://example.com/' }))
    await ask(requestBytes('GET', '/stats', { host: 'elsewhere.example' }))
    const ofReports = ['overall', 'tour', 'none'].flatMap(subject =>
      reports.map(report => `/stats/${subject}/${report}`),
    )
    for (const path of ofReports) await ask(requestBytes('GET', path))
    for (const path of [...routes, '/tour', '/stats/tour', ...ofReports]) {
      await ask(requestBytes('PUT', path))
      await ask(requestBytes('GET', path, { expect: 'more' }))
      await ask(requestBytes('GET', path, { cookie: 'x'.repeat(20_000) }))
    }
    for (const path of ['/stats', '/stats/tour', ...ofReports])
      await ask(requestBytes('GET', path, { 'if-none-match': '*' }))
    await pool.query(
      `INSERT INTO links (slug, long_url, expires_at) VALUES ('gone', 'https://example.com/', now())`,
    )
    for (const method of ['GET', 'HEAD'])
      for (const path of ['/tour', '/gone', '/none', '/%zz']) await ask(requestBytes(method, path))

    const undocumented = [...answered].filter(entry => {
      const [method = '', path = '', status = ''] = entry.split(' ')
      if (path === 'undefined') return status !== '404' && status !== '400'
      const operation = document.paths[path]?.[method.toLowerCase()]
      return operation === undefined
        ? !['405', '400', '417', '431'].includes(status)
        : !(status in operation.responses)
    })
    expect(undocumented).toEqual([])
    // Each of them is there by chance as well, but none depends on it: this test passes alone.
    const statuses = new Set([...answered].map(entry => entry.split(' ')[2]))
    expect([...statuses].sort()).toEqual(
      '200 201 304 307 400 404 405 409 410 413 415 417 421 422 431'.split(' '),
    )
  })

  test('is rendered as a page with every operation, without scripts, advertising or other sites', async () => {
    const page = await fetch(`${api.origin}/docs`)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const html = await page.text()
    const { paths } = (await (await fetch(`${api.origin}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string; parameters?: { name: string }[] }>>
    }
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { operationId, parameters = [] }] of Object.entries(operations)) {
        const article = html.split(`<article id="${operationId}">`)[1]?.split('</article>')[0] ?? ''
        expect.soft(article).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
        for (const { name } of parameters) expect.soft(article, operationId).toContain(`<code>${name}</code>`)
      }
    expect(html).not.toMatch(
      /<script|<iframe|(?:src|href)="(?:https?:)?\/\/|powered by|scalar|undefined|\[object/i,
    )

    const loaded = ['/docs', ...[...html.matchAll(/<link[^>]* href="([^"]+)"/g)].map(match => match[1])]
    expect(loaded).toEqual(['/docs', '/docs/reference.css'])
    let bytes = 0
    for (const path of loaded) {
      const headers = { 'accept-encoding': 'gzip' }
      const response = await fetch(`${api.origin}${path}`, { headers })
      expect(response.headers.get('content-encoding')).toBe('gzip')
      bytes += Number(response.headers.get('content-length'))
    }
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThan(100_000)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("default-src 'none'")
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  })
})
