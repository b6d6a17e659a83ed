/** Malformed, contradictory and forbidden requests, as bytes on the socket. */
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import type { Pool } from 'pg'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { openPool, shorten, startApi } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes, shortenBytes } from './requests.ts'

let api: RunningApi
let pool: Pool
let slug: string
let linksBefore: number
let linesBefore: number

beforeAll(async () => {
  const { url } = await createTestDatabase()
  pool = openPool(url)
  api = await startApi({ databaseUrl: url })
  slug = await shorten(api.origin, { slug: 'taken', long_url: 'https://example.com/stored?a=b#c' })
  linksBefore = await countLinks()
  linesBefore = logLines().length
})

afterEach(async () => {
  expect(await countLinks(), 'links are stored').toBe(linksBefore)
  expect(logLines().slice(linesBefore), 'lines are logged').toEqual([])
})

async function countLinks(): Promise<number> {
  const { rows } = await pool.query<{ links: number }>('SELECT count(*)::int AS links FROM links')
  return rows[0]?.links ?? 0
}

function logLines(): string[] {
  return api.process.output().trimEnd().split('\n')
}

const target = '"long_url": "https://example.com/"'

describe('a body that is not a JSON object matching the schema gets 400', () => {
  test.each([
    ['no body', '', undefined],
    ['a blank', ' ', undefined],
    ['null', 'null', ['#']],
    ['an array', '[]', ['#']],
    ['a text', '"https://example.com/"', ['#']],
    ['a number', '1', ['#']],
    ['JSON that was cut off', `{${target}`, undefined],
    ['two values', `{${target}}{}`, undefined],
    ['JSON with a comment', `{${target} /* */}`, undefined],
    ['UTF-16', `\xff\xfe{\0}\0`, undefined],
    ['a byte that is not UTF-8', '{"long_url": "https://example.com/\xff"}', undefined],
    ['half a UTF-8 character', '{"long_url": "https://example.com/\xc3"}', undefined],
    ['an overlong UTF-8 character', '{"long_url": "https://example.com/\xc0\xaf"}', undefined],
    ['a surrogate in UTF-8', '{"long_url": "https://example.com/\xed\xa0\x80"}', undefined],
    ['__proto__', `{${target}, "__proto__": {"reuse": true}}`, undefined],
    ['an escaped __proto__', `{${target}, "__\\u0070roto__": {"reuse": true}}`, undefined],
    ['constructor.prototype', `{${target}, "constructor": {"prototype": {"reuse": true}}}`, undefined],
    ['no long_url', '{}', ['#/long_url']],
    ['a number as long_url', '{"long_url": 1}', ['#/long_url']],
    ['an array as long_url', '{"long_url": ["https://example.com/"]}', ['#/long_url']],
    ['an object as long_url', '{"long_url": {"href": "https://example.com/"}}', ['#/long_url']],
    ['null as long_url', '{"long_url": null}', ['#/long_url']],
    ['a number as slug', `{${target}, "slug": 2030}`, ['#/slug']],
    ['null as slug', `{${target}, "slug": null}`, ['#/slug']],
    ['a text as reuse', `{${target}, "reuse": "true"}`, ['#/reuse']],
    ['a number as reuse', `{${target}, "reuse": 1}`, ['#/reuse']],
    ['a number as expires_at', `{${target}, "expires_at": 1893456000}`, ['#/expires_at']],
    ['an unknown field', `{${target}, "longUrl": 1}`, ['#/longUrl']],
    [
      'an unknown field that needs escapes in a pointer',
      `{${target}, "a/b~c#%<": 1}`,
      ['#/a~1b~0c%23%25%3C'],
    ],
    ['several faults at once', '{"long_url": 1, "slug": 2, "x": 3}', ['#/x', '#/long_url', '#/slug']],
    ['JSON nested a thousand deep', `{"long_url": ${'['.repeat(1000)}${']'.repeat(1000)}}`, ['#/long_url']],
  ])('%s', async (_, body, pointers) => {
    const problem = expectProblem(await answerTo(api.port, shortenBytes(body)), 400)
    expect(problem.errors?.map(error => error.pointer)).toEqual(pointers)
  })

  test('the name of an unknown field is quoted only up to the length of a plausible name', async () => {
    const body = { long_url: 'https://example.com/', [`${'x'.repeat(63)}🙂y`]: 1 }
    const problem = expectProblem(await answerTo(api.port, shortenBytes(body)), 400)
    expect(problem.errors?.[0]?.pointer).toBe(`#/${'x'.repeat(63)}%EF%BF%BD`)
  })
})

describe('a body of another media type gets 415', () => {
  test.each([
    ['text/plain', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a form with files', { 'content-type': 'multipart/form-data; boundary=a' }],
    ['garbage after the type', { 'content-type': 'application/json garbage' }],
    ['an empty type', { 'content-type': '' }],
    ['a type that begins like JSON', { 'content-type': 'application/jsonp' }],
    ['JSON of another kind', { 'content-type': 'application/ld+json' }],
    ['two types', { 'content-type': 'application/json, text/plain' }],
    ['gzip', { 'content-encoding': 'gzip' }],
    ['an unknown coding', { 'content-encoding': 'x' }],
  ])('%s', async (_, headers: Record<string, string>) => {
    expectProblem(await answerTo(api.port, shortenBytes(`{${target}}`, headers)), 415)
  })

  test('no type', async () => {
    expectProblem(await answerTo(api.port, requestBytes('POST', '/shorten', {}, `{${target}}`)), 415)
  })
})

describe('a body of more than 8 KiB gets 413', () => {
  const large = `{"long_url": "https://example.com/?${'x'.repeat(8 * 1024)}"}`

  test('with a Content-Length', async () => {
    expectProblem(await answerTo(api.port, shortenBytes(large)), 413)
  })

  test('announced but never sent', async () => {
    expectProblem(await answerTo(api.port, shortenBytes('{', { 'content-length': '1000000000' })), 413)
  })

  test('in chunks', async () => {
    const head = requestBytes('POST', '/shorten', {
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    })
    const bytes = `${head}${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
    expectProblem(await answerTo(api.port, bytes), 413)
  })

  test('a smaller body is judged by its contents', async () => {
    const url = `https://example.com/?${'x'.repeat(8 * 1024 - 100)}`
    expectProblem(await answerTo(api.port, shortenBytes({ long_url: url })), 422)
  })
})

const label64 = 'a'.repeat(64)

describe('a long_url that is not allowed gets 422', () => {
  test.each([
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'file:///etc/passwd',
    'ftp://example.com/',
    'blob:https://example.com/2f1c',
    'java\tscript:alert(1)',
    '//a.com',
    'https:a.com',
    'https:\\\\a.com',
    'http:///a.com',
    'https://user:password@a.com/',
    'https://a.com/\r\nset-cookie: a=b',
    'https://a.com/\n',
    'https://a.com/\tb',
    'https://a.com/\0',
    'https://a.com/\ud800',
    ' https://a.com/',
    'https://a.com/ ',
    'https://a\u202ecom/',
    'https://exam\u00adple.com/',
    `https://a.com/${'x'.repeat(2_048)}`,
    `https://a.com/${'ü'.repeat(400)}`,
    'https://a.com:99999/',
    'https://a.com:0/',
    'https://./',
    'https://a..b/',
    `https://${label64}.com/`,
    'http://hop.example/abc',
    'http://hop.example./abc',
    'http://HOP.example/abc',
    'http://%68op.ex%61mple/abc',
    'http://127.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://localhost/',
    '',
    'not a url',
  ])('%j', async longUrl => {
    const problem = expectProblem(await answerTo(api.port, shortenBytes({ long_url: longUrl })), 422)
    expect(problem.errors).toEqual([{ pointer: '#/long_url', detail: problem.detail }])
    if (longUrl !== '') expect(problem.detail).not.toContain(longUrl)
  })
})

describe('a slug or an expiry that is not allowed gets 422, a slug that is taken 409', () => {
  test.each([
    ['a reserved word', { slug: 'stats' }, 422],
    ['a reserved word in another case', { slug: 'OpenAPI.json' }, 422],
    ['a reserved word in capitals', { slug: 'SHORTEN' }, 422],
    ...['login', 'Admin', 'API', 'PayPal', 'sign-in', 'www', 'verify', 'microsoft'].map(
      slug =>
        [`a word that is often abused or needed later: ${slug}`, { slug }, 422] as [string, object, number],
    ),
    ['a slash', { slug: 'a/b' }, 422],
    ['the folder above', { slug: '..' }, 422],
    ['an encoded slash', { slug: '%2f' }, 422],
    ['the empty text', { slug: '' }, 422],
    ['65 characters', { slug: 'a'.repeat(65) }, 422],
    ['a NUL', { slug: 'a\0' }, 422],
    ['a line break at the end', { slug: 'abc\n' }, 422],
    ['a letter with an accent', { slug: 'é' }, 422],
    ['half of a surrogate pair', { slug: '\ud800' }, 422],
    ['markup', { slug: '<script>' }, 422],
    ['SQL', { slug: `'; DROP TABLE links; --` }, 422],
    ['a slug that is taken', { slug: 'taken' }, 409],
    ['a moment that has passed', { expires_at: '2020-01-01T00:00:00Z' }, 422],
    ['30 February', { expires_at: '2099-02-30T00:00:00Z' }, 422],
    ['a date without a time', { expires_at: '2099-01-01' }, 422],
    ['a time without a zone', { expires_at: '2099-01-01T00:00:00' }, 422],
    ['infinity', { expires_at: 'infinity' }, 422],
    ['the year 10000', { expires_at: '+010000-01-01T00:00:00Z' }, 422],
    ['the empty text as expiry', { expires_at: '' }, 422],
  ])('%s', async (_, fields: { slug?: string; expires_at?: string }, status) => {
    const body = { long_url: 'https://example.com/', ...fields }
    const problem = expectProblem(await answerTo(api.port, shortenBytes(body)), status)
    expect(problem.errors).toEqual([{ pointer: `#/${Object.keys(fields)[0]}`, detail: problem.detail }])
  })
})

describe('a path that leads nowhere', () => {
  test.each([
    ['a percent-encoding that is none', '/%zz', 400],
    ['half a percent-encoding', '/%', 400],
    ['a percent-encoding that is not UTF-8', '/%e0%a4', 400],
    ['such a one behind a slug', '/taken%zz', 400],
    ['such a one within a slug', '/ta%e0ken', 400],
    ['such a one as the slug of statistics', '/stats/%zz', 400],
    ['half a percent-encoding behind it', '/stats/taken%', 400],
    ['a NUL', '/a%00b', 404],
    ['a NUL as the slug of statistics', '/stats/a%00b', 404],
    ['an encoded slash', '/stats%2Fabc', 404],
    ['an encoded line break', '/taken%0d%0aset-cookie:a=b', 404],
    ['an unknown slug', '/unknown', 404],
    ['a slug in another case', '/Taken', 404],
    ['the statistics of an unknown slug', '/stats/unknown', 404],
    ['the statistics of no slug', '/stats/', 404],
    ['a slug of 65 characters', `/${'a'.repeat(65)}`, 404],
    ['a slug of 8,000 characters', `/${'a'.repeat(8_000)}`, 404],
    ['the statistics of such a slug', `/stats/${'a'.repeat(8_000)}`, 404],
    ['a path below a slug', '/taken/more', 404],
    ['the folder above', '/../stats', 404],
    ['two slashes', '//evil.example', 404],
    ['a name that every object has', '/__proto__', 404],
    ['another one', '/constructor', 404],
  ])('%s: %s', async (_, path, status) => {
    expectProblem(await answerTo(api.port, requestBytes('GET', path)), status)
    const head = await answerTo(api.port, requestBytes('HEAD', path))
    // Statistics allow only GET.
    expect(path.startsWith('/stats/') ? [status, 405] : [status]).toContain(head.status)
    expect(head.body).toBe('')
  })

  test.each([
    '?redir_url=https://evil.example',
    '?url=https://evil.example&next=//evil.example',
    '?__proto__[a]=b',
    '?%zz',
    `?${'x'.repeat(5_000)}`,
  ])('a query changes nothing of where a link leads: %s', async query => {
    const answer = await answerTo(api.port, requestBytes('GET', `/${slug}${query}`))
    expect(answer.status).toBe(307)
    expect(answer.headers.get('location')).toBe('https://example.com/stored?a=b#c')
  })
})

describe('a method that a path does not allow gets 405 and Allow', () => {
  const allow: Record<string, string> = {
    '/taken': 'GET, HEAD',
    '/unknown': 'GET, HEAD',
    '/shorten': 'POST',
    '/stats': 'GET',
    '/stats/taken': 'GET',
    '/healthz': 'GET, HEAD',
    '/readyz': 'GET, HEAD',
    '/metrics': 'GET',
    '/openapi.json': 'GET',
    '/docs': 'GET',
  }

  test.each(Object.entries(allow))('%s allows only %s', async (path, allowed) => {
    const methods = [
      'GET',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'PURGE',
      'PROPFIND',
      'QUERY',
    ]
    for (const method of methods.filter(name => !allowed.split(', ').includes(name))) {
      const answer = await answerTo(api.port, requestBytes(method, path))
      expectProblem(answer, 405)
      expect(answer.headers.get('allow')).toBe(allowed)
    }
  })

  test('CONNECT gets 501: the service is no proxy', async () => {
    const answer = await answerTo(api.port, 'CONNECT a.com:443 HTTP/1.1\r\nhost: a.com:443\r\n\r\n')
    expectProblem(answer, 501)
    expect(answer.headers.get('connection')).toBe('close')
  })

  test('whatever the body', async () => {
    const headers = { 'content-type': 'text/plain', 'content-length': '4' }
    expectProblem(await answerTo(api.port, requestBytes('PUT', '/taken', headers, 'body')), 405)
    expectProblem(await answerTo(api.port, requestBytes('DELETE', '/taken', headers, 'body')), 405)
  })

  test('TRACE returns nothing of the request', async () => {
    const answer = await answerTo(api.port, requestBytes('TRACE', '/taken', { cookie: 'secret=1' }))
    expect(answer.body).not.toContain('secret')
  })
})

describe('a request that is not HTTP or is ambiguous gets 400', () => {
  const json = { 'content-type': 'application/json' }
  test.each([
    [
      'both Transfer-Encoding and Content-Length',
      `${requestBytes('POST', '/shorten', { ...json, 'content-length': '5', 'transfer-encoding': 'chunked' })}0\r\n\r\n`,
    ],
    [
      'two lengths that differ',
      shortenBytes(`{${target}}`).replace('\r\n\r\n', '\r\ncontent-length: 1\r\n\r\n'),
    ],
    ['a negative length', shortenBytes(`{${target}}`, { 'content-length': '-1' })],
    ['a length that is no number', shortenBytes(`{${target}}`, { 'content-length': '0x10' })],
    [
      'a chunk without a size',
      `${requestBytes('POST', '/shorten', { ...json, 'transfer-encoding': 'chunked' })}zz\r\n`,
    ],
    ['a header name with a blank', requestBytes('GET', '/stats', { 'a b': 'c' })],
    ['a blank in front of the colon', requestBytes('GET', '/stats', { 'host ': 'c' })],
    ['a header on two lines', requestBytes('GET', '/stats', { a: 'b\r\n c' })],
    ['a NUL in a header', requestBytes('GET', '/stats', { a: 'b\0c' })],
    ['a carriage return in a header', requestBytes('GET', '/stats', { a: 'b\rc' })],
    ['a NUL in the path', requestBytes('GET', '/a\0b')],
    ['a path that is not ASCII', requestBytes('GET', '/\xff')],
    ['a path without a slash', requestBytes('GET', 'stats')],
    ['an unknown method', requestBytes('HACK', '/stats')],
    ['a method in lower case', requestBytes('get', '/stats')],
    ['bare line feeds', 'GET /stats HTTP/1.1\nhost: hop.example\n\n'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ])('%s', async (_, bytes) => {
    const answer = await answerTo(api.port, bytes)
    expectProblem(answer, 400)
    expect(answer.headers.get('connection')).toBe('close')
  })

  test.each(['/stats', '/taken', '/unknown', '/', '/unknown/extra'])(
    'no Host, two of them, or one that is no host: %s',
    async path => {
      const withHosts = (...lines: string[]) => `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
      for (const bytes of [
        withHosts(),
        withHosts('host: hop.example\r\n', 'host: evil.example\r\n'),
        withHosts('host: hop.example\r\n', 'Host: hop.example\r\n'),
        withHosts('host: hop.example\r\n', 'host:\r\n'),
        withHosts('host: a b\r\n'),
        withHosts('host: a.com/path\r\n'),
        withHosts('host: user@a.com\r\n'),
        withHosts('host: a.com, b.com\r\n'),
        withHosts('host: a.com:port\r\n'),
        withHosts('host: [::1\r\n'),
        withHosts('host: \xff\r\n'),
      ])
        expectProblem(await answerTo(api.port, bytes), 400)
    },
  )

  test.each([
    'hop.example:',
    'hop.example:80',
    'HOP.example.',
    '127.0.0.1:8080',
    '[::1]:',
    'a_b.example',
    '%61.com',
    '',
  ])('a Host as RFC 9110 allows it is accepted: %j', async host => {
    expect((await answerTo(api.port, requestBytes('GET', '/taken', { host }))).status).toBe(307)
  })

  test.each([
    ['/taken', 307],
    ['/taken/', 307],
    ['/taken.', 307],
    ['/taken%E2%80', 307],
    ['/taken?x=/y', 307],
    ['/unknown/', 404],
    ['/stats/taken', 200],
    ['/%zz', 400],
    ['', 200],
    ['?x', 200],
  ])('a target in absolute form is the same: %s', async (path, status) => {
    for (const origin of ['http://hop.example', 'HTTPS://hop.example:8443']) {
      expect((await answerTo(api.port, requestBytes('GET', origin + path))).status).toBe(status)
    }
  })

  test('HTTP/1.0 needs no Host', async () => {
    expect((await answerTo(api.port, 'GET /taken HTTP/1.0\r\n\r\n')).status).toBe(307)
  })

  test.each([
    'a b',
    'a.com/path',
    'user:password@a.com',
    'a.com?b',
    'a.com#b',
    'hop.example:99999',
    '\xff',
    '',
  ])('an invalid Host can not become part of a short URL: %j', async host => {
    expectProblem(await answerTo(api.port, shortenBytes(`{${target}}`, { host })), 400)
  })
})

test.runIf(process.platform === 'linux')(
  'CONNECT holds no connection, even if the client keeps it open',
  async () => {
    const bytes = 'CONNECT a.com:443 HTTP/1.1\r\nhost: a.com:443\r\n\r\n'
    const sockets = Array.from({ length: 30 }, () =>
      connect({ host: '127.0.0.1', port: api.port, allowHalfOpen: true }),
    )
    for (const socket of sockets) socket.resume().write(bytes, 'latin1')
    await Promise.all(sockets.map(socket => once(socket, 'end')))
    await waitUntil(() => openSockets(api.process.pid) < 30, { what: 'they are closed' })
    for (const socket of sockets) socket.destroy()
  },
)

function openSockets(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter(name => isSocket(`${folder}/${name}`)).length
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:')
  } catch {
    // Closed since it was listed.
    return false
  }
}

test('an unknown expectation gets 417', async () => {
  expectProblem(await answerTo(api.port, shortenBytes(`{${target}}`, { expect: 'a miracle' })), 417)
})

describe('headers and path of more than 16 KiB in total get 431', () => {
  const tooMuch = 'x'.repeat(20 * 1024)
  test.each([
    ['one header', requestBytes('GET', '/taken', { cookie: tooMuch })],
    ['many headers', requestBytes('GET', '/taken', { a: `b${'\r\na: b'.repeat(4_000)}` })],
    ['the path', requestBytes('GET', `/${tooMuch}`)],
    ['the query', requestBytes('GET', `/taken?${tooMuch}`)],
  ])('%s', async (_, bytes) => {
    expectProblem(await answerTo(api.port, bytes), 431)
  })
})

test('a request that arrives too slowly gets 408, whichever part of it is slow', async () => {
  const slowHeader = requestBytes('GET', '/taken', { cookie: 'x'.repeat(8_000) })
  const slowBody = shortenBytes(`{${target}, "x": "${'x'.repeat(8_000)}"}`)
  const answers = await Promise.all([
    answerTo(api.port, slowHeader, { dripBytes: 60, dripEveryMs: 500, timeoutMs: 50_000 }),
    answerTo(api.port, slowBody, { dripBytes: 150, dripEveryMs: 500, timeoutMs: 50_000 }),
    answerTo(api.port, slowBody.slice(0, 200), { timeoutMs: 50_000 }),
    answerTo(api.port, 'GET', { timeoutMs: 50_000 }),
  ])
  for (const answer of answers) expectProblem(answer, 408)
})

test('after all of this the link still redirects to its target', async () => {
  const answer = await answerTo(api.port, requestBytes('GET', `/${slug}`))
  expect(answer.headers.get('location')).toBe('https://example.com/stored?a=b#c')
})
