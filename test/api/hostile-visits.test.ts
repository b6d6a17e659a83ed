/** Visitors whose headers attack whoever reads them: counted once, stored as text, never logged. */
import { beforeAll, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { shorten, startApi, startWorker, waitForVisits } from '../support/hopcount.ts'
import type { StartedProcess } from '../support/processes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { answerTo, expectProblem, requestBytes } from './requests.ts'

let api: RunningApi
let worker: StartedProcess

beforeAll(async () => {
  const installation = { databaseUrl: (await createTestDatabase()).url, spoolDir: temporaryFolder() }
  api = await startApi(installation)
  worker = await startWorker(installation)
})

const tenKilobytes = 'x'.repeat(10_000)

test.each([
  ['a script', '<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['an attribute', '" onmouseover="alert(1)', '" onmouseover="alert(1)'],
  ['a formula', "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"],
  ['another formula', '@SUM(1+1)*cmd', '@SUM(1+1)*cmd'],
  ['JSON', '","visits":1e9,"a":"', '","visits":1e9,"a":"'],
  ['SQL', "'); DROP TABLE links; --", "'); DROP TABLE links; --"],
  ['a template', '{{7*7}} #{7*7} $(id)', '{{7*7}} #{7*7} $(id)'],
  ['a percent-encoded line break', 'a%0d%0ab', 'a%0d%0ab'],
  ['an escaped NUL', 'a\\u0000b', 'a\\u0000b'],
  ['a TAB', 'a\tb', 'a\tb'],
  ['UTF-8', Buffer.from('Bücher 🙂').toString('latin1'), 'Bücher 🙂'],
  ['bytes that are not UTF-8', 'a\xffb\x9b31m', 'a\ufffdb\ufffd31m'],
  ['blanks around', '  a  ', 'a'],
  ['nothing', '', null],
])('%s as user agent and referrer is counted once and given back as text', async (_, sent, kept) => {
  const slug = await shorten(api.origin)
  const logged = api.process.output() + worker.output()
  const headers = { 'user-agent': sent, referer: sent }
  const answer = await answerTo(api.port, requestBytes('GET', `/${slug}`, headers))
  expect(answer.status).toBe(307)
  expect(answer.headers.get('location')).toBe('https://example.com/')

  const stats = await waitForVisits(api.origin, slug, 1)
  expect(stats.recent).toMatchObject([{ visited_at: expect.any(String), user_agent: kept, referrer: kept }])
  expect(api.process.output() + worker.output()).toBe(logged)
})

test('a user agent and a referrer of 10 KB are truncated', async () => {
  const slug = await shorten(api.origin)
  for (const headers of [{ 'user-agent': tenKilobytes }, { referer: tenKilobytes }])
    expect((await answerTo(api.port, requestBytes('GET', `/${slug}`, headers))).status).toBe(307)

  const stats = await waitForVisits(api.origin, slug, 2)
  expect(stats.recent.toReversed()).toMatchObject([
    { user_agent: 'x'.repeat(512), referrer: null },
    { user_agent: null, referrer: 'x'.repeat(2_048) },
  ])
})

test('a user agent that is truncated within a character stays readable', async () => {
  const slug = await shorten(api.origin)
  const userAgent = Buffer.from(`${'x'.repeat(511)}ü`).toString('latin1')
  await answerTo(api.port, requestBytes('GET', `/${slug}`, { 'user-agent': userAgent }))
  const stats = await waitForVisits(api.origin, slug, 1)
  expect(stats.recent[0]?.user_agent).toBe(`${'x'.repeat(511)}\ufffd`)
})

test.each([
  ['ESC', '\x1b[31m'],
  ['NUL', 'a\0b'],
  ['BEL', 'a\x07b'],
  ['DEL', 'a\x7fb'],
  ['the mark of a note', 'a\x1fapp=com.facebook.katana'],
])('%s can not stand in a header: the request is refused and not counted', async (_, userAgent) => {
  const slug = await shorten(api.origin)
  const headers = { 'user-agent': userAgent }
  expectProblem(await answerTo(api.port, requestBytes('GET', `/${slug}`, headers)), 400)
  expect((await answerTo(api.port, requestBytes('GET', `/${slug}`))).status).toBe(307)
  await waitForVisits(api.origin, slug, 1)
})

test('a visitor with many user agents and referrers is counted with the first of each', async () => {
  const slug = await shorten(api.origin)
  const headers = { 'user-agent': 'a\r\nuser-agent: b', referer: 'http://a.test/\r\nreferer: http://b.test/' }
  expect((await answerTo(api.port, requestBytes('GET', `/${slug}`, headers))).status).toBe(307)
  const stats = await waitForVisits(api.origin, slug, 1)
  expect(stats.recent).toMatchObject([{ user_agent: 'a', referrer: 'http://a.test/' }])
})
