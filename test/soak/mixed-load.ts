/**
 * What a public shortener gets, at an even and bounded rate: mostly redirects of links by a Zipf law, and beside them
 * unknown slugs, HEAD, new links that are followed at once, statistics, and requests that no browser sends.
 *
 * No request is repeated. `attempted` and `answered` count the GETs of each link: what is counted must lie between them.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { drawVisits } from '../bench/draw-visits.ts'
import { sendHostileRequest } from './hostile-requests.ts'

export interface MixedLoad {
  attempted: Map<string, number>
  answered: Map<string, number>
  /** Requests by kind. */
  asked: Map<string, number>
  /** Answers that a request of that kind must not get, such as `HEAD: 500`. */
  unexpected: Map<string, number>
  /** 503 to what is no redirect: a process that is short of time says so (limits/shed-load.ts). The machine is too slow. */
  shed(): number
  /** No whole answer came in time: it may be counted or not. */
  unanswered(): number
  /** Requests that were due and left out, because too many had no answer yet. */
  leftOut(): number
  stop(): Promise<void>
}

type Kind = 'redirect' | 'unknown slug' | 'HEAD' | 'shorten' | 'statistics' | 'hostile'

/** Per cent of all requests. */
const mix: [Kind, number][] = [
  ['redirect', 80],
  ['unknown slug', 6],
  ['HEAD', 4],
  ['shorten', 2],
  ['statistics', 6],
  ['hostile', 2],
]
const deadlineMs = 10_000
const mostUnderWay = 200

export function startMixedLoad(options: { port: number; slugs: string[]; perSecond: number }): MixedLoad {
  const { port, slugs, perSecond } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const attempted = new Map<string, number>()
  const answered = new Map<string, number>()
  const asked = new Map<string, number>()
  const unexpected = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  let due = 0
  let leftOut = 0
  let shed = 0
  let unanswered = 0
  let stopping = false

  async function ask(kind: Kind): Promise<void> {
    add(asked, kind)
    const wrong = (status: number | string) => {
      if (status === 0) unanswered++
      else if (String(status).startsWith('503') && kind !== 'HEAD' && kind !== 'unknown slug') shed++
      else add(unexpected, `${kind}: ${status}`)
    }
    if (kind === 'redirect') await follow(draw().slug)
    else if (kind === 'hostile') {
      const { status, expected } = await sendHostileRequest(port, due)
      if (!expected) wrong(status)
    } else if (kind === 'shorten') {
      const { status, body } = await send('POST', '/shorten', {}, `{"long_url":"https://example.com/${due}"}`)
      if (status === 201) await follow((JSON.parse(body) as { slug: string }).slug)
      else wrong(status)
    } else if (kind === 'unknown slug') {
      const { status } = await send('GET', `/none-${randomBytes(6).toString('hex')}`)
      if (status !== 404) wrong(status)
    } else if (kind === 'HEAD') {
      const { status } = await send('HEAD', `/${draw().slug}`)
      if (status !== 307) wrong(status)
    } else {
      const { status } = await send('GET', due % 2 === 0 ? '/stats?limit=10' : `/stats/${draw().slug}`)
      if (status !== 200) wrong(status)
    }
  }

  async function follow(slug: string): Promise<void> {
    const { referrer, userAgent } = draw()
    add(attempted, slug)
    const headers = {
      ...(referrer !== undefined && { referer: referrer }),
      ...(userAgent !== undefined && { 'user-agent': userAgent }),
    }
    const { status } = await send('GET', `/${slug}`, headers)
    if (status === 307) add(answered, slug)
    else if (status === 0) unanswered++
    else add(unexpected, `redirect: ${status}`)
  }

  function draw() {
    const [visit] = drawVisits(1, slugs.length)
    return { ...visit, slug: slugs[(visit?.linkId ?? 1) - 1] ?? '' }
  }

  /** Status 0: no whole answer. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<{ status: number; body: string }> {
    return new Promise(resolve => {
      const failed = () => resolve({ status: 0, body: '' })
      const started = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        agent,
        timeout: deadlineMs,
        headers: {
          // Believed, because the API trusts us as its proxy; 20,000 visitors.
          'x-forwarded-for': `93.184.${randomInt(80)}.${randomInt(250)}`,
          ...headers,
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
        },
      })
      started.on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', failed)
      })
      started.on('timeout', () => started.destroy(new Error('timeout')))
      started.on('error', failed)
      started.end(body)
    })
  }

  const loop = (async () => {
    const startedAt = performance.now()
    while (!stopping) {
      for (; due < ((performance.now() - startedAt) / 1_000) * perSecond; due++) {
        if (underWay.size >= mostUnderWay) {
          leftOut++
          continue
        }
        const asking = ask(pickKind()).finally(() => underWay.delete(asking))
        underWay.add(asking)
      }
      await sleep(5)
    }
  })()

  return {
    attempted,
    answered,
    asked,
    unexpected,
    shed: () => shed,
    unanswered: () => unanswered,
    leftOut: () => leftOut,
    async stop() {
      stopping = true
      await loop
      await Promise.all(underWay)
      agent.destroy()
    },
  }
}

function pickKind(): Kind {
  let left = Math.random() * 100
  for (const [kind, percent] of mix) {
    left -= percent
    if (left < 0) return kind
  }
  return 'redirect'
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
