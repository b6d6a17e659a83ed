/** Titles that are read from targets, and what the reading must never reach. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ResolveHost } from '../../../apps/api/targets/titles/fetch-page.ts'
import { fetchPage } from '../../../apps/api/targets/titles/fetch-page.ts'
import { readTitle } from '../../../apps/api/targets/titles/read-title.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { shorten, startApi } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** What this machine serves on 127.0.0.1, and whom it has served. */
let server: Server
let port: number
let answers: Record<string, Answer> = {}
let requests: (IncomingMessage & { servedAt: string | undefined })[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(Object.assign(request, { servedAt: request.socket.localAddress }))
    const answer = answers[request.url ?? '']
    if (answer === undefined) response.writeHead(404).end()
    else answer(response, request)
  })
  await new Promise<void>(resolve => server.listen(0, '0.0.0.0', resolve))
  port = (server.address() as AddressInfo).port
  cleanUpLater(() => {
    server.closeAllConnections()
    server.close()
  })
})

beforeEach(() => {
  answers = {}
  requests = []
})

function html(body: string | Buffer, headers: Record<string, string> = {}): Answer {
  return response => response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body)
}

function redirect(location: string, status = 302): Answer {
  return response =>
    response.writeHead(status, { location, 'content-type': 'text/html' }).end('<title>no</title>')
}

const unreachable: ResolveHost = async () => {
  throw new Error('this test resolves no names')
}

async function titleOf(
  url: string,
  options: {
    allowPrivateTargets?: boolean
    resolve?: ResolveHost
    blocked?: string
    signal?: AbortSignal
  } = {},
): Promise<string | undefined> {
  const {
    allowPrivateTargets = true,
    resolve = unreachable,
    blocked,
    signal = AbortSignal.timeout(10_000),
  } = options
  const page = await fetchPage(url, {
    targets: {
      isOwnHost: host => host === 'own.example',
      allowPrivateTargets,
      domains: host => (host === blocked ? 'blocked' : undefined),
    },
    resolve,
    signal,
  })
  return page && readTitle(page)
}

const here = (path = '/', host = '127.0.0.1') => `http://${host}:${port}${path}`

describe('the title of a page', () => {
  function titleIn(body: string | Buffer, contentType = 'text/html; charset=utf-8') {
    return readTitle({ bytes: Buffer.from(body as string), contentType })
  }

  test.each([
    ['<title>Plain</title>', 'Plain'],
    ['<!doctype html><html><head><TITLE lang=de>\n  Two\t words \r\n</TITLE>', 'Two words'],
    ['<title>Fish &amp; Chips &#8212; &#x1F41F; &eacute;&nbsp;&lt;b&gt;</title>', 'Fish & Chips — 🐟 é <b>'],
    ['<!-- <title>no</title> --><script>"<title>no</title>"</script><title>yes</title>', 'yes'],
    ['<svg><title>icon</title></svg><svg/><title>page</title>', 'page'],
    ['<title>first</title><title>second</title>', 'first'],
    ['<title>a\u0000b\u0007c\u2028d\u202Eevil\u200B\u2066</title>', 'a b c devil'],
    ['<title>never closed', 'never closed'],
    ['<title>&#xD800; &#0; half</title>', expect.stringContaining('half')],
    [`<title>${'😀'.repeat(300)}</title>`, `${'😀'.repeat(199)}…`],
    ['<title> \n </title>', undefined],
    ['<h1>None</h1>', undefined],
    ['', undefined],
  ])('in %j is %j', (body, title) => {
    expect(titleIn(body)).toEqual(title)
  })

  test.each([
    [
      'the header says',
      Buffer.from('<title>M\xfcnchen</title>', 'latin1'),
      'text/html; charset="ISO-8859-1"',
    ],
    ['the document says', Buffer.from('<meta charset=windows-1252><title>M\xfcnchen', 'latin1'), 'text/html'],
    [
      'the document says at length',
      Buffer.from(
        `<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-1'><title>M\xfcnchen`,
        'latin1',
      ),
      'text/html',
    ],
    [
      'its byte order mark says',
      Buffer.from('\uFEFF<title>München</title>', 'utf16le'),
      'text/html; charset=utf-8',
    ],
    ['nobody says', Buffer.from('<title>München</title>'), 'text/html'],
    ['an unknown word says', Buffer.from('<title>München</title>'), 'text/html; charset=klingon'],
    ['UTF-16 can not be', Buffer.from('<meta charset=utf-16><title>München</title>'), 'text/html'],
  ])('is decoded as %s', (_, bytes, contentType) => {
    expect(readTitle({ bytes, contentType })).toBe('München')
  })

  test('in Japanese is decoded', () => {
    const bytes = Buffer.concat([
      Buffer.from('<title>'),
      Buffer.from([0x93, 0xfa, 0x96, 0x7b]),
      Buffer.from('</title>'),
    ])
    expect(readTitle({ bytes, contentType: 'text/html; charset=Shift_JIS' })).toBe('日本')
  })
})

describe('a page is fetched', () => {
  test('without anything that says who asks', async () => {
    answers['/page?q=1'] = html('<title>Found</title>')
    expect(await titleOf(here('/page?q=1#fragment'))).toBe('Found')
    const [request] = requests
    expect(request?.method).toBe('GET')
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ])
    expect(request?.headers['user-agent']).toMatch(/HopcountBot/)
  })

  test('through at most three redirects', async () => {
    for (const [i, status] of [301, 302, 303, 307].entries()) answers[`/${i}`] = redirect(`/${i + 1}`, status)
    answers['/4'] = html('<title>The end</title>', { 'set-cookie': 'a=b' })
    expect(await titleOf(here('/1'))).toBe('The end')
    expect(await titleOf(here('/0'))).toBeUndefined()
    answers['/loop'] = redirect('/loop')
    expect(await titleOf(here('/loop'))).toBeUndefined()
  })

  test.each([
    ['that is no page', html('<title>no</title>', { 'content-type': 'text/plain' })],
    ['of another kind', html('<title>no</title>', { 'content-type': 'text/htmlx' })],
    ['without a type', response => response.writeHead(200).end('<title>no</title>')],
    ['that is compressed', html('<title>no</title>', { 'content-encoding': 'gzip' })],
    [
      'that is missing',
      response => response.writeHead(404, { 'content-type': 'text/html' }).end('<title>no</title>'),
    ],
    ['that redirects nowhere', redirect('http://')],
    ['that redirects with credentials', redirect('http://user:password@example.com/')],
    ['that redirects to another scheme', redirect('file:///etc/passwd')],
    ['that redirects to the service itself', redirect('http://own.example/slug')],
  ] as [string, Answer][])('but not one %s', async (_, answer) => {
    answers['/'] = answer
    expect(await titleOf(here())).toBeUndefined()
    expect(requests).toHaveLength(1)
  })

  test('up to 64 KiB of it, however long it is', async () => {
    let ended = false
    const endless: Answer = response => {
      response.writeHead(200, { 'content-type': 'text/html' })
      const fill = () => {
        while (!response.destroyed && response.write(' '.repeat(16_384)));
      }
      response.on('drain', fill).on('close', () => {
        ended = true
      })
      fill()
    }
    answers['/endless'] = endless
    expect(await titleOf(here('/endless'))).toBeUndefined()
    await expect.poll(() => ended).toBe(true)
    answers['/late'] = html(`${' '.repeat(65_536)}<title>too late</title>`)
    expect(await titleOf(here('/late'))).toBeUndefined()
  })

  test('until its time is over, also if it arrives drop by drop', async () => {
    answers['/drip'] = response => {
      response.writeHead(200, { 'content-type': 'text/html' })
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    }
    await expect(titleOf(here('/drip'), { signal: AbortSignal.timeout(300) })).rejects.toThrow(
      /abort|timeout/i,
    )
  })
})

describe('where private targets are not allowed', () => {
  const strict = { allowPrivateTargets: false }

  test.each([
    'http://127.0.0.1:PORT/',
    'http://0x7f.1:PORT/',
    'http://2130706433:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::1]:PORT/',
    'http://localhost:PORT/',
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://example.com:22/',
    'ftp://example.com/',
  ])('%s is not requested', async url => {
    answers['/'] = html('<title>secret</title>')
    expect(await titleOf(url.replace('PORT', String(port)), strict)).toBeUndefined()
    expect(requests).toEqual([])
  })

  test.each([
    [['127.0.0.1']],
    [['127.0.0.1', '93.184.216.34']],
    [['::1']],
    [['::ffff:127.0.0.1']],
    [['64:ff9b::7f00:1']],
    [['fd00::1']],
    [['169.254.169.254']],
    [[]],
  ])('a name that resolves to %j is not connected to', async addresses => {
    answers['/'] = html('<title>secret</title>')
    const title = titleOf('http://rebound.example/', { ...strict, resolve: async () => addresses })
    await expect(title).rejects.toThrow(/not public|no address/)
  })
})

describe('a name', () => {
  test('is resolved once per request, and connected to at the address that was checked', async () => {
    answers['/'] = html('<title>checked</title>')
    let resolved = 0
    // A second look would be led elsewhere.
    const resolve: ResolveHost = async () => [++resolved === 1 ? '127.0.0.1' : '127.0.0.2']
    expect(await titleOf(here('/', 'rebound.example'), { resolve })).toBe('checked')
    expect(resolved).toBe(1)
    expect(requests.map(({ servedAt, headers }) => [servedAt, headers.host])).toEqual([
      ['127.0.0.1', `rebound.example:${port}`],
    ])
  })

  test('of a redirect is resolved and checked, too', async () => {
    answers['/'] = redirect(here('/next', 'blocked.example'))
    answers['/next'] = html('<title>next</title>')
    const resolve: ResolveHost = async () => ['127.0.0.1']
    expect(await titleOf(here(), { resolve })).toBe('next')
    expect(await titleOf(here(), { resolve, blocked: 'blocked.example' })).toBeUndefined()
    await expect(titleOf(here(), { resolve: async () => [] })).rejects.toThrow(/no address/)
    expect(requests.map(({ url }) => url)).toEqual(['/', '/next', '/', '/'])
  })
})

describe('with FETCH_TITLES', () => {
  let api: RunningApi
  beforeAll(async () => {
    const { url: databaseUrl } = await createTestDatabase()
    api = await startApi({ databaseUrl, env: { FETCH_TITLES: 'true', ALLOW_PRIVATE_TARGETS: 'true' } })
  })

  async function titleFrom(slug: string): Promise<string | null> {
    const response = await fetch(`${api.origin}/api/links/${slug}`)
    return ((await response.json()) as { title: string | null }).title
  }

  test('a link that is created without a title gets the one of its target', async () => {
    answers['/page'] = html('<title>Its own</title>')
    const titled = await shorten(api.origin, { long_url: here('/page'), title: 'Given' })
    const untitled = await shorten(api.origin, { long_url: here('/page') })
    await expect.poll(() => titleFrom(untitled), { timeout: 10_000 }).toBe('Its own')
    expect(await titleFrom(titled)).toBe('Given')
    expect(requests).toHaveLength(1)
  })

  test('a title that is set meanwhile stays', async () => {
    let respond: (() => void) | undefined
    answers['/slow'] = response => {
      respond = () => html('<title>Too late</title>')(response, {} as IncomingMessage)
    }
    answers['/next'] = html('<title>Next</title>')
    const slug = await shorten(api.origin, { long_url: here('/slow') })
    await expect.poll(() => respond, { timeout: 10_000 }).toBeDefined()
    const changed = await fetch(`${api.origin}/api/links/${slug}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Set' }),
    })
    expect(changed.status).toBe(200)
    respond?.()
    const next = await shorten(api.origin, { long_url: here('/next') })
    await expect.poll(() => titleFrom(next), { timeout: 10_000 }).toBe('Next')
    expect(await titleFrom(slug)).toBe('Set')
  })
})
