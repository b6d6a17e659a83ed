/** Links as mail and chat programs, word processors and people leave them. */
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, startWorker, waitForVisits } from '../../support/hopcount.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { RawAnswer } from '../raw-http.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'

let databaseUrl: string
let api: RunningApi
let pool: Pool

const target = 'https://example.com/tour'

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  api = await startApi({ databaseUrl })
  await startWorker({ databaseUrl })
  await shorten(api.origin, { slug: 'tour', long_url: target })
  await shorten(api.origin, { slug: 'T-2_', long_url: `${target}-2` })
})

/** ASCII is sent as it is, other characters percent-encoded as UTF-8. */
function get(path: string, method = 'GET'): Promise<RawAnswer> {
  return answerTo(api.port, requestBytes(method, path.replace(/[^\0-\x7f]+/gu, encodeURIComponent)))
}

function followed({ status, headers }: RawAnswer): unknown {
  return [status, headers.get('location'), headers.get('cache-control')]
}

const damages = [
  ...['.', ')', ',', '/', '>', ';', ':', '!', ']', '}', "'", '`', '*', '**', '|', '~', '=', '$', '^', '\\'],
  ...[
    '%20',
    '%22',
    '%27',
    '%3E',
    '%3C',
    '%2F',
    '%2C',
    '%29',
    '%5D',
    '%0A',
    '%0D%0A',
    '%09',
    '%00',
    '%25',
    '%2520',
  ],
  ...[
    '…',
    '\u200b',
    '\u2060',
    '\u00ad',
    '\ufeff',
    '\u00a0',
    '“',
    '”',
    '’',
    '»',
    '›',
    '。',
    '，',
    '）',
    '」',
    '،',
  ],
  ...[
    '%E2%80%A6',
    '%E2%80%8B',
    '%E2%81%A0',
    '%C2%AD',
    '%EF%BB%BF',
    '%C2%A0',
    '%E2%80%9D',
    '%E2%80%99',
    '%C2%BB',
  ],
  ...[
    ').',
    '.)',
    '...',
    '%22.',
    '**.',
    '.**',
    '”.',
    '%E2%80%8B%E2%80%8B.',
    '%E2%80%9D%29.',
    '_',
    '__',
    '-',
    '_.',
    '*_',
  ],
  ...[
    '&gt;',
    '&gt',
    '&quot;',
    '&amp;',
    '&nbsp;',
    '&amp;utm_source=x',
    '&utm_source=x',
    '%3Futm_source=x',
    '%23top',
  ],
  ...[
    '%22%3E',
    '%3C/a%3E',
    '%3Cbr%3E',
    '](https://hop.example/tour)',
    '/?x',
    '/?x=/y',
    '//',
    '/.',
    '/)',
    '/%20',
    '.?x',
  ],
  ...['%', '%E', '%E2', '%E2%80', '%A0', '%96', '%94', '.%', '%20%E2%80', '%E2%80?x=%zz'],
  ...['😀', '👍🏽', '☺\ufe0f', 'です', '这里', '에서', '%F0%9F%98%80'],
]

describe('a damaged link leads where it was meant to', () => {
  test.each(damages)('/tour%s', async damage => {
    const answer = await get(`/tour${damage}`)
    expect(followed(answer)).toEqual([307, target, 'private, no-store'])
    expect(followed(await get(`/tour${damage}`, 'HEAD'))).toEqual(followed(answer))
  })

  test.each(['…', '\u200b', '\u2060', '\u00ad', '\ufeff', '\u00a0', '”', '’»', '😀', '\u200b).', '”?x=1'])(
    '/tour%s, in bytes that are not percent-encoded',
    async damage => {
      const path = Buffer.from(`/tour${damage}`).toString('latin1')
      const answer = await answerTo(api.port, requestBytes('GET', path))
      expect(followed(answer)).toEqual([307, target, 'private, no-store'])
      expect(answer.headers.get('connection')).toBe('close')
      expect(followed(await answerTo(api.port, requestBytes('HEAD', path)))).toEqual(followed(answer))
    },
  )

  test.each([
    '%20tour',
    '%E2%80%8Btour',
    '%3Ctour%3E',
    '“tour”',
    '(tour)',
    '**tour**',
    '%22tour%22',
    '/tour',
    '//tour.',
    '/tour/',
    '%2Ftour',
    '%5Ctour',
    'to\u200bur',
    'to\u00adur',
    '\u2060t\u2060o\u2060u\u2060r.',
    'ｔｏｕｒ',
    '%2574our',
  ])('/%s', async path => {
    expect(followed(await get(`/${path}`))).toEqual([307, target, 'private, no-store'])
    expect(followed(await get(`/${path}`, 'HEAD'))).toEqual([307, target, 'private, no-store'])
  })

  test.each(['=20', '=0A', '=0D=0A', '=E2=80=8B', '=C2=A0', '=2E', '=3D', '=', '=3Fx=3D1'])(
    'whose mail was not decoded: /tour%s',
    async damage => {
      expect(followed(await get(`/tour${damage}`))).toEqual([307, target, 'private, no-store'])
    },
  )

  test.each([
    ['Ab-1_c', 'Ab\u20111_c'],
    ['Ab-2_c', 'Ab\u20102_c.'],
    ['Ab-3_c', 'Ab–3_c'],
    ['Ab-4_c', 'Ab—4_c)'],
    ['Ab-5_c', 'Ab−5＿c'],
    ['Ab--6_c', 'Ab–6_c'],
    ['Ab--7_c', 'Ab—7_c'],
    ['Ab-8_c', 'Ab-8%5C_c'],
    ['Ab-9_c', 'Ab-9\\_c'],
    ['Ab-10_c', 'Ab-10/_c'],
    ['Ab-11_c', 'Ab%5C-11%5C_c%20'],
    ['Ab-12_c', 'Ab-\u200b12_\u200bc'],
  ])('whose hyphens and underscores were replaced or escaped: /%s as /%s', async (slug, path) => {
    await shorten(api.origin, { slug, long_url: `${target}?${slug}` })
    expect((await get(`/${path}`)).headers.get('location')).toBe(`${target}?${slug}`)
  })

  test.each([
    ['/T-2_', `${target}-2`],
    ['/T-2_.', `${target}-2`],
    ['/T-2__', `${target}-2`],
  ])('a _ or - at the end belongs to the slug first: %s', async (path, location) => {
    expect((await get(path)).headers.get('location')).toBe(location)
  })

  test('a slug that exists as requested always wins, also one that is made later', async () => {
    const slug = await shorten(api.origin)
    expect((await get(`/${slug}_`)).headers.get('location')).toBe('https://example.com/')
    await shorten(api.origin, { slug: `${slug}_`, long_url: `${target}-own` })
    expect((await get(`/${slug}_`)).headers.get('location')).toBe(`${target}-own`)
    expect((await get(`/${slug}`)).headers.get('location')).toBe('https://example.com/')
  })

  test('and is counted as a visit of that link, except for HEAD', async () => {
    const slug = await shorten(api.origin)
    for (const damage of ['.', '/', '%E2%80%8B', '/?x', '**']) {
      expect((await get(`/${slug}${damage}`)).status).toBe(307)
      expect((await get(`/${slug}${damage}`, 'HEAD')).status).toBe(307)
    }
    await get(`/${slug}`)
    await waitForVisits(api.origin, slug, 6)
  })

  test('and is 410 if that has expired', async () => {
    const slug = await shorten(api.origin)
    await pool.query(`UPDATE links SET expires_at = now() - interval '1 day' WHERE slug = $1`, [slug])
    expectProblem(await get(`/${slug}).`), 410)
    expectProblem(await get(`/${slug}/`), 410)
  })
})

describe('bytes that are not percent-encoded', () => {
  const raw = Buffer.from('/tour…').toString('latin1')

  test('count as a visit, with all that the request says', async () => {
    const slug = await shorten(api.origin)
    const path = Buffer.from(`/${slug}…`).toString('latin1')
    const headers = { 'user-agent': 'raw client', referer: 'https://example.org/' }
    await answerTo(api.port, requestBytes('HEAD', path, headers))
    await answerTo(api.port, requestBytes('GET', path, headers))
    const { recent } = await waitForVisits(api.origin, slug, 1)
    expect(recent[0]).toMatchObject({ user_agent: 'raw client', referrer: 'https://example.org/' })
    await answerTo(api.port, requestBytes('GET', path))
    await answerTo(api.port, requestBytes('GET', `/${slug}`))
    const [encoded, bytes] = (await waitForVisits(api.origin, slug, 3)).recent
    expect([bytes?.user_agent, bytes?.referrer]).toEqual([encoded?.user_agent, encoded?.referrer])
  })

  test('are a problem or a page where they lead nowhere', async () => {
    const nowhere = Buffer.from('/nowhere…').toString('latin1')
    expectProblem(await answerTo(api.port, requestBytes('GET', nowhere)), 404)
    const page = await answerTo(api.port, requestBytes('GET', nowhere, { accept: 'text/html' }))
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
  })

  test.each([
    ['bytes that are no UTF-8', requestBytes('GET', '/tour\xff')],
    ['a control character', requestBytes('GET', `${raw}\x01`)],
    ['another method', requestBytes('POST', raw)],
    ['a body', requestBytes('GET', raw, {}, 'body')],
    ['a chunked body', requestBytes('GET', raw, { 'transfer-encoding': 'chunked' })],
    ['a request behind it', requestBytes('GET', raw) + requestBytes('GET', '/tour')],
    ['a header twice', requestBytes('GET', raw, { host: 'a.example\r\nhost: b.example' })],
    ['no Host', `GET ${raw} HTTP/1.1\r\n\r\n`],
    ['a header on two lines', requestBytes('GET', raw, { a: 'b\r\n c' })],
    ['a NUL in a header', requestBytes('GET', raw, { a: 'b\0c' })],
    ['a blank in front of the colon', requestBytes('GET', raw, { 'a ': 'b' })],
    ['an older protocol', requestBytes('GET', raw).replace('HTTP/1.1', 'HTTP/1.0')],
    ['the live counts of a link as the path', requestBytes('GET', '/stats/tour/live?x=\xc3\xa9')],
    ['the live counts, encoded, as the path', requestBytes('GET', '/stats/%6cive?x=\xc3\xa9')],
    ['an export as the path', requestBytes('GET', '/stats/tour/export?country=\xc3\xa9')],
  ])('with %s are malformed', async (_, bytes) => {
    expectProblem(await answerTo(api.port, bytes), 400)
  })
})

describe('a path is not taken for another link', () => {
  test.each([
    '/tour/extra/path',
    '/tour/extra',
    '/tour.html',
    '/tour.x',
    '/tourist',
    '/touré',
    '/Tour.',
    '/to%20ur',
    '/tour%0d%0aset-cookie:a=b',
    '/tour%20and%20more',
    '/a%00b',
    '/.',
    '/%20',
    '/%E2%80%8B',
    '/stats%2Fabc',
    '/stats/',
    '//stats',
    '//',
    '/healthz/',
    '/to=0D=0Aur',
    '/tour=41',
    '/to%00ur',
    '/to/ur',
    `/${'tour'.repeat(17)}.`,
  ])('%s', async path => {
    expectProblem(await get(path), 404)
  })

  test('/tour/ supports no other method', async () => {
    expectProblem(await get('/tour/', 'PUT'), 404)
    expectProblem(await get('/tour.', 'PUT'), 405)
  })
})

test('what still leads nowhere is counted as requested: in visible characters, at most 80, and only if there is a slug in it', async () => {
  const requested = [
    ['/gone.', 'gone.'],
    ['/gone/', 'gone/'],
    ['/gone%E2%80%8B', 'gone%E2%80%8B'],
    ['/gone\u200b', 'gone%E2%80%8B'],
    ['/gone%00', 'gone%00'],
    ['/gone%E2%80', 'gone\ufffd'],
    ['/gone%E2%80%AE%1B%0A.', 'gone%E2%80%AE%1B%0A.'],
    ['/gone%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E', 'gone"><script>alert(1)</script>'],
    ['/gone”', 'gone”'],
    [`/gone${'.'.repeat(300)}`, `gone${'.'.repeat(75)}…`],
    [`/gone${'%F0%9F%98%80'.repeat(39)}`, undefined],
  ] as const
  for (const [path] of requested) expectProblem(await get(path), 404)
  for (const path of [
    '/wp-login.php',
    '/.env',
    '/a%00b',
    '/%20',
    '/favicon.ico',
    '/gone/extra/path',
    '/stats/',
  ])
    expectProblem(await get(path), 404)
  const rows = await waitUntil(
    async () => {
      const { rows } = await pool.query<{ slug: string }>(
        `SELECT slug, requests FROM orphan_visits WHERE slug LIKE 'gone%' OR slug !~ '^[\\w-]*$'`,
      )
      return rows.length >= 10 && rows
    },
    { what: 'they are written out' },
  )
  const gone = rows.map(row => row.slug).filter(slug => slug.startsWith('gone'))
  expect(gone.sort()).toEqual(
    [...new Set(requested.map(([, slug]) => slug ?? `gone${'😀'.repeat(37)}\ufffd…`))].sort(),
  )
  expect(rows.map(row => row.slug)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/php|env|favicon|extra|^ |^stats/)]),
  )
  const answer = await fetch(`${api.origin}/stats/orphans?limit=100`)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  const { slugs } = (await answer.json()) as { slugs: { slug: string }[] }
  expect(slugs.map(({ slug }) => slug)).toEqual(expect.arrayContaining(gone))
})
