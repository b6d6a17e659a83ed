import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Problem } from '../../../apps/api/errors/problem.ts'
import type { LiveState } from '../../../apps/api/stats/live/live-source.ts'
import type { LiveStreams } from '../../../apps/api/stats/live/live-streams.ts'
import { createLiveStreams } from '../../../apps/api/stats/live/live-streams.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, startWorker, visit } from '../../support/hopcount.ts'
import { nightlyTest } from '../../support/nightly.ts'
import { startPostgres } from '../../support/postgres.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { answerTo, expectProblem, requestBytes } from '../requests.ts'
import type { OpenStream } from './live-streams.ts'
import { openStream } from './live-streams.ts'

let databaseUrl: string
let api: RunningApi
let pool: Pool

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  api = await startApi({ databaseUrl })
})

/** Counts visits as the worker does, bypassing the queue. */
async function addVisits(
  pool: Pool,
  linkIds: number[],
  add: { humans?: number; bots?: number; previews?: number; minutesAgo?: number },
): Promise<void> {
  const { humans = 0, bots = 0, previews = 0, minutesAgo = 0 } = add
  const at = new Date(Date.now() - minutesAgo * 60_000)
  for (const linkId of linkIds) {
    await pool.query(
      `INSERT INTO link_totals AS total (link_id, visits, bots, previews, first_visit, last_visit)
       VALUES ($1, $2, $3, $4, $5, $5)
       ON CONFLICT (link_id) DO UPDATE SET visits = total.visits + $2, bots = total.bots + $3,
         previews = total.previews + $4, last_visit = greatest(total.last_visit, $5)`,
      [linkId, humans + bots + previews, bots, previews, at],
    )
    await pool.query(
      `INSERT INTO link_minutes AS minutes (link_id, minute, visits, bots, previews)
       VALUES ($1, date_bin('1 minute', $5, 'epoch'::timestamptz), $2, $3, $4)
       ON CONFLICT (link_id, minute) DO UPDATE SET visits = minutes.visits + $2, bots = minutes.bots + $3,
         previews = minutes.previews + $4`,
      [linkId, humans + bots + previews, bots, previews, at],
    )
  }
}

async function linkId(slug: string): Promise<number> {
  const { rows } = await pool.query<{ id: number }>('SELECT id FROM links WHERE slug = $1', [slug])
  return rows[0]?.id ?? 0
}

describe('a live stream', () => {
  test('reports a link immediately, and again after a change, at most once a second', async () => {
    const slug = await shorten(api.origin)
    const id = await linkId(slug)
    await addVisits(pool, [id], { humans: 2, bots: 1, previews: 4 })
    await addVisits(pool, [id], { humans: 10, minutesAgo: 20 })
    const openedAt = Date.now()
    const stream = await openStream(`${api.origin}/stats/${slug}/live`)
    const first = await stream.message(() => true, 'a first message')
    expect(first).toEqual({
      as_of: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      pending: 0,
      visits: 17,
      humans: 12,
      bots: 1,
      previews: 4,
      last_5_minutes: 2,
      last_visit: expect.stringMatching(/Z$/),
    })
    expect(Date.parse(first.as_of)).toBeGreaterThan(openedAt - 2_000)
    expect(Date.parse(first.as_of)).toBeLessThanOrEqual(Date.now())
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    expect(stream.text()).toMatch(/^retry: 2000\n\n/)

    for (let i = 0; i < 30; i++) {
      await addVisits(pool, [id], { humans: 1 })
      await sleep(100)
    }
    await stream.message(counts => counts.visits === 47 && counts.last_5_minutes === 32, 'all are told')
    const { length } = stream.messages
    expect(length).toBeGreaterThanOrEqual(4)
    const tookMs = (stream.messages.at(-1)?.at ?? 0) - (stream.messages[0]?.at ?? 0)
    expect(tookMs).toBeGreaterThan(900 * (length - 1))
    await sleep(2_500)
    expect(stream.messages).toHaveLength(length)
  })

  test('reports sums for all links, and zeros for a link without visits', async () => {
    const [all, one] = await Promise.all([
      openStream(`${api.origin}/stats/live`),
      shorten(api.origin).then(slug => openStream(`${api.origin}/stats/${slug}/live`)),
    ])
    expect(await one.message(() => true, 'a first message')).toMatchObject({
      visits: 0,
      humans: 0,
      bots: 0,
      previews: 0,
      last_5_minutes: 0,
      last_visit: null,
    })
    const before = await all.message(() => true, 'a first message')
    await addVisits(pool, [0], { humans: 1 })
    await all.message(
      counts => counts.visits === before.visits + 1 && counts.last_5_minutes === before.last_5_minutes + 1,
      'the sum has risen',
    )
  })

  test('rises after a redirect', async () => {
    await startWorker({ databaseUrl })
    const slug = await shorten(api.origin)
    const [one, all] = await Promise.all([
      openStream(`${api.origin}/stats/${slug}/live`),
      openStream(`${api.origin}/stats/live`),
    ])
    const { visits: oneBefore } = await one.message(() => true, 'a first message')
    const { visits: allBefore } = await all.message(() => true, 'a first message')
    for (let i = 0; i < 3; i++)
      await visit(api.origin, slug, {
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      })
    await one.message(
      counts => counts.visits === oneBefore + 3 && counts.last_5_minutes === 3,
      'the link counts three humans',
    )
    await all.message(counts => counts.visits === allBefore + 3, 'all links count three more')
  })

  test('of an unknown slug is 404, and other methods are 405', async () => {
    expectProblem(await answerTo(api.port, requestBytes('GET', '/stats/unknown/live')), 404)
    expectProblem(await answerTo(api.port, requestBytes('GET', '/stats/a.b/live')), 404)
    expectProblem(await answerTo(api.port, requestBytes('POST', '/stats/live')), 405)
  })

  test('has an address that no link can have', async () => {
    for (const slug of ['live', 'Live', 'orphans']) {
      const answer = await fetch(`${api.origin}/shorten`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ long_url: 'https://example.com/', slug }),
      })
      expect(answer.status).toBe(422)
    }
  })

  test('is described', async () => {
    const document = (await (await fetch(`${api.origin}/openapi.json`)).json()) as {
      paths: Record<string, { get: { responses: Record<string, { content: object }> } }>
    }
    for (const path of ['/stats/live', '/stats/{slug}/live'])
      expect(Object.keys(document.paths[path]?.get.responses[200]?.content ?? {})).toEqual([
        'text/event-stream',
      ])
  })
})

describe('many live streams', () => {
  nightlyTest('cost one query a second, like a single stream, and none when nobody listens', async () => {
    const databaseUrl = (await createTestDatabase()).url
    const pool = openPool(databaseUrl)
    const counter = await countQueries(databaseUrl, '"lastFiveMinutes"')
    const api = await startApi({ databaseUrl, env: { STATS_DATABASE_URL: counter.databaseUrl } })
    const slugs = await Promise.all(Array.from({ length: 20 }, () => shorten(api.origin)))
    const queriesInFiveSeconds = async () => {
      const before = counter.queries()
      await sleep(5_000)
      return counter.queries() - before
    }
    expect(await queriesInFiveSeconds()).toBe(0)
    const one = await openStream(`${api.origin}/stats/live`)
    await one.message(() => true, 'a first message')
    const ofOne = await queriesInFiveSeconds()
    expect(ofOne).toBeGreaterThanOrEqual(3)
    expect(ofOne).toBeLessThanOrEqual(5)

    const before = counter.queries()
    const many = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        openStream(`${api.origin}/stats/${i % 2 === 0 ? 'live' : `${slugs[i % 20]}/live`}`),
      ),
    )
    await Promise.all(many.map(stream => stream.message(() => true, 'a first message')))
    const whileOpening = counter.queries() - before
    const ofMany = await queriesInFiveSeconds()
    expect(ofMany).toBeGreaterThanOrEqual(3)
    expect(ofMany).toBeLessThanOrEqual(5)
    // New links are looked up together, at most ten times a second.
    expect(whileOpening).toBeLessThanOrEqual(20)

    await addVisits(pool, [0], { bots: 1 })
    const told = many.filter((_, i) => i % 2 === 0)
    await Promise.all(told.map(stream => stream.message(counts => counts.bots > 0, 'everybody is told')))
    for (const stream of [one, ...many]) stream.close()
    await sleep(1_500)
    expect(await queriesInFiveSeconds()).toBe(0)
  })

  test('end at once when the process stops', async () => {
    const other = await startApi({ databaseUrl })
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => openStream(`${other.origin}/stats/live`)),
    )
    const stoppedAt = Date.now()
    const exit = other.process.stop()
    const endedAt = await Promise.all(streams.map(stream => stream.ended))
    // A server that waited for its streams would be killed, after 15 s.
    expect(Math.max(...endedAt) - stoppedAt).toBeLessThan(5_000)
    expect((await exit).code).toBe(0)
    expect(Date.now() - stoppedAt).toBeLessThan(8_000)
  })
})

test('streams stay open while the database is unavailable, and continue when it is back', async () => {
  const postgres = await startPostgres()
  const api = await startApi({ databaseUrl: postgres.url })
  const pool = openPool(postgres.url)
  const slug = await shorten(api.origin)
  await visit(api.origin, slug)
  const stream = await openStream(`${api.origin}/stats/live`)
  await stream.message(() => true, 'a first message')
  // Again: the notice of its creation may have arrived after the first visit and evicted it from the cache.
  await visit(api.origin, slug)
  await postgres.kill9()
  await sleep(4_000)
  const late = await openStream(`${api.origin}/stats/live`)
  const lateOfLink = await openStream(`${api.origin}/stats/${slug}/live`)
  await sleep(1_000)
  expect(stream.messages).toHaveLength(1)
  expect(late.messages).toHaveLength(0)
  await postgres.restart()
  await addVisits(pool, [0], { humans: 7 })
  for (const open of [stream, late]) await open.message(counts => counts.humans >= 7, 'it continues')
  await lateOfLink.message(() => true, 'a first message')
  await api.process.waitForLine(/"part":"live statistics".*works again/)
  const lines = api.process
    .output()
    .split('\n')
    .filter(line => line.includes('"part":"live statistics"'))
  expect(lines.map(line => JSON.parse(line).msg)).toEqual(['is failing; trying again', 'works again'])
}, 90_000)

/** A TCP proxy to the database that counts queries containing this text (a prepared one would be seen once). */
async function countQueries(databaseUrl: string, text: string) {
  const url = new URL(databaseUrl)
  const target = { host: url.hostname, port: Number(url.port) }
  let queries = 0
  const sockets = new Set<Socket>()
  const server = createTcpServer(client => {
    const upstream = connect(target)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('data', chunk => {
      if (chunk.includes(text)) queries++
    })
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUpLater(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { databaseUrl: url.href, queries: () => queries }
}

/** Serves streams alone, without the rest of an API process; returns the port. */
async function serveStreams(
  streams: LiveStreams,
  listen: (tell: (state: LiveState) => void) => () => void,
  opened: (response: ServerResponse) => void = () => {},
): Promise<number> {
  const server = createServer((_request, response) => {
    opened(response)
    try {
      streams.open({ raw: response, hijack: () => {}, getHeaders: () => ({}) }, listen)
    } catch (error) {
      response.writeHead((error as Problem).status).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUpLater(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('messages for a client that does not read are not buffered, and it is disconnected after a while', async () => {
  const streams = createLiveStreams({ everyMs: 5, freshnessEveryMs: 5_000, dropAfterMs: 700 })
  let tell: (state: LiveState) => void = () => {}
  let ended = 0
  let queued = () => 0
  const port = await serveStreams(
    streams,
    told => {
      tell = told
      return () => ended++
    },
    response => {
      queued = () => response.writableLength
    },
  )
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  cleanUpLater(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await new Promise(resolve => socket.once('data', resolve))
  socket.pause()

  const messageBytes = 256 * 1024
  let longest = 0
  for (let i = 0; ended === 0 && i < 1_000; i++) {
    const message = () => `data: ${i}${' '.repeat(messageBytes)}\n\n`
    tell({ counts: String(i), message, freshness: message, isLate: false })
    longest = Math.max(longest, queued())
    await sleep(6)
  }
  expect(ended).toBe(1)
  expect(longest).toBeGreaterThan(0)
  expect(longest).toBeLessThan(1.1 * messageBytes)
})

test('a stream says how fresh its counts are, at once when they become late, and nothing while nothing is read', async () => {
  const streams = createLiveStreams({ everyMs: 5, freshnessEveryMs: 200, dropAfterMs: 30_000 })
  let tell: (state: LiveState) => void = () => {}
  const port = await serveStreams(streams, told => {
    tell = told
    tell(state(0, false))
    return () => {}
  })
  const state = (read: number, isLate: boolean): LiveState => ({
    counts: 'the same',
    message: () => 'event: counts\ndata: {}\n\n',
    freshness: () => `event: freshness\ndata: ${read}\n\n`,
    isLate,
  })
  const stream = await openStream(`http://127.0.0.1:${port}/`)
  const told = () =>
    [...stream.text().matchAll(/event: freshness\ndata: (\d+)/g)].map(([, read]) => Number(read))
  await stream.message(() => true, 'the counts')
  tell(state(1, false))
  await waitUntil(() => told().length === 1, { what: 'freshness without a change' })
  // Read again a moment later: only what has become late, or is not late any more, is news.
  tell(state(2, false))
  tell(state(3, true))
  tell(state(4, true))
  tell(state(5, false))
  expect(await waitUntil(() => told().length >= 3 && told(), { what: 'both changes' })).toEqual([1, 3, 5])
  await sleep(1_000)
  expect(told()).toEqual([1, 3, 5])
  expect(stream.messages).toHaveLength(1)
})

test('one process serves 2,000 streams; further clients are told to retry, and get the next free place', async () => {
  const streams = createLiveStreams()
  let ended = 0
  const port = await serveStreams(streams, () => () => ended++)
  const url = `http://127.0.0.1:${port}/`
  const open: OpenStream[] = []
  for (let i = 0; i < 20; i++)
    open.push(...(await Promise.all(Array.from({ length: 100 }, () => openStream(url)))))
  await expect(openStream(url)).rejects.toThrow('answered 503')
  open.pop()?.close()
  await waitUntil(() => ended === 1, { what: 'a place is free' })
  await openStream(url)
  streams.end()
  await Promise.all(open.map(stream => stream.ended))
  await expect(openStream(url)).rejects.toThrow('answered 503')
})
