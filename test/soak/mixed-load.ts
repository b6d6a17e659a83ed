/**
 * The traffic of a public shortener at a steady, bounded rate: mostly redirects, with links drawn by Zipf's law, plus
 * unknown slugs, HEAD, new links that are followed immediately, statistics, and requests that no browser sends.
 *
 * No request is retried. `attempted` and `answered` count the GETs of each link: its visits must lie between them.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { drawVisits } from '../bench/draw-visits.ts'
import { sendHostileRequest } from './hostile-requests.ts'
import type { RequestSender } from './request-sender.ts'
import { createRequestSender } from './request-sender.ts'

/** In per cent of all requests. */
const mix = { redirect: 80, 'unknown slug': 6, HEAD: 4, shorten: 2, statistics: 6, hostile: 2 }

type Kind = keyof typeof mix

const timeoutMs = 10_000
const maxInFlight = 200

export interface LoadCounts {
  attempted: Map<string, number>
  answered: Map<string, number>
  /** Requests by kind. */
  sent: Map<string, number>
  /** Responses that a request of that kind must not get, such as `HEAD: 500`. */
  unexpected: Map<string, number>
  /** 503 to other requests than redirects: the machine is too slow, and the process sheds load (limits/shed-load.ts). */
  shed: number
  /** No complete response in time: the visit may be counted or not. */
  unanswered: number
  /** Requests that were due but not sent, because too many were in flight. */
  leftOut: number
}

export interface MixedLoad {
  counts: LoadCounts
  stop(): Promise<void>
}

export function startMixedLoad(options: { port: number; slugs: string[]; perSecond: number }): MixedLoad {
  const { port, slugs, perSecond } = options
  const counts: LoadCounts = {
    ...{ attempted: new Map(), answered: new Map(), sent: new Map(), unexpected: new Map() },
    ...{ shed: 0, unanswered: 0, leftOut: 0 },
  }
  const sender = createRequestSender(port, timeoutMs)
  const requests = createRequests(port, sender, slugs, counts)
  const stopPacing = pace(perSecond, counts, due => {
    const kind = drawKind()
    add(counts.sent, kind)
    return requests[kind](due)
  })
  return {
    counts,
    async stop() {
      await stopPacing()
      sender.close()
    },
  }
}

/** One request (of `shorten` two) of each kind; `due` numbers them. Each counts its own outcome. */
function createRequests(
  port: number,
  sender: RequestSender,
  slugs: string[],
  counts: LoadCounts,
): Record<Kind, (due: number) => Promise<void>> {
  function expectStatus(kind: Kind, expected: number, status: number, mayBeShed: boolean): void {
    if (status !== expected) countFailure(counts, kind, status, mayBeShed)
  }

  async function follow(slug: string): Promise<void> {
    const { referrer, userAgent } = drawVisitor(slugs)
    add(counts.attempted, slug)
    const { status } = await sender.get(`/${slug}`, {
      ...(referrer !== undefined && { referer: referrer }),
      ...(userAgent !== undefined && { 'user-agent': userAgent }),
    })
    if (status === 307) add(counts.answered, slug)
    else countFailure(counts, 'redirect', status, false)
  }

  return {
    redirect: () => follow(drawVisitor(slugs).slug),
    async 'unknown slug'() {
      const { status } = await sender.get(`/none-${randomBytes(6).toString('hex')}`)
      expectStatus('unknown slug', 404, status, false)
    },
    async HEAD() {
      const { status } = await sender.head(`/${drawVisitor(slugs).slug}`)
      expectStatus('HEAD', 307, status, false)
    },
    async shorten(due) {
      const { status, body } = await sender.post('/shorten', `{"long_url":"https://example.com/${due}"}`)
      expectStatus('shorten', 201, status, true)
      if (status === 201) await follow((JSON.parse(body) as { slug: string }).slug)
    },
    async statistics(due) {
      const path = due % 2 === 0 ? '/stats?limit=10' : `/stats/${drawVisitor(slugs).slug}`
      const { status } = await sender.get(path)
      expectStatus('statistics', 200, status, true)
    },
    async hostile(due) {
      const { status, expected } = await sendHostileRequest(port, due)
      if (!expected) countFailure(counts, 'hostile', status, true)
    },
  }
}

function countFailure(counts: LoadCounts, kind: Kind, status: number | string, mayBeShed: boolean): void {
  if (status === 0) counts.unanswered++
  else if (mayBeShed && String(status).startsWith('503')) counts.shed++
  else add(counts.unexpected, `${kind}: ${status}`)
}

/** Starts a request whenever one is due; the function returned stops that and waits for those in flight. */
function pace(
  perSecond: number,
  counts: LoadCounts,
  start: (due: number) => Promise<void>,
): () => Promise<void> {
  const inFlight = new Set<Promise<void>>()
  let stopping = false

  async function run(): Promise<void> {
    const startedAt = performance.now()
    let due = 0
    while (!stopping) {
      for (; due < ((performance.now() - startedAt) / 1_000) * perSecond; due++) {
        if (inFlight.size >= maxInFlight) {
          counts.leftOut++
          continue
        }
        const started = start(due).finally(() => inFlight.delete(started))
        inFlight.add(started)
      }
      await sleep(5)
    }
  }

  const running = run()
  return async () => {
    stopping = true
    await running
    await Promise.all(inFlight)
  }
}

/** A link by Zipf's law, and the headers of a visitor. */
function drawVisitor(slugs: string[]) {
  const [visit] = drawVisits(1, slugs.length)
  return { ...visit, slug: slugs[(visit?.linkId ?? 1) - 1] ?? '' }
}

function drawKind(): Kind {
  let left = Math.random() * 100
  for (const [kind, percent] of Object.entries(mix) as [Kind, number][]) {
    left -= percent
    if (left < 0) return kind
  }
  return 'redirect'
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
