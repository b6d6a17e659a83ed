/**
 * The open live streams of a process (server-sent events: WHATWG HTML, section 9.2).
 *
 * Each has at most one message a second, only when something has changed, and a comment every 15 s, by which both sides
 * notice that the other is gone. Nothing is queued for a client that does not read: while bytes wait for its socket, it
 * gets none, afterwards the newest state; after `dropAfterMs` in that condition its connection is cut. One timer
 * serves all streams.
 *
 * Written out instead of taken from @fastify/sse 0.6: that one writes its comments without asking whether the
 * socket takes them, has a timer and a message of its own per connection, and refuses with errors that are no problem+json.
 */
import type { ServerResponse } from 'node:http'
import { Problem, unavailable } from '../../errors/problem.ts'
import type { LiveState } from './live-source.ts'

/** What is needed of Fastify's reply. */
interface Reply {
  raw: ServerResponse
  getHeaders(): Record<string, string | number | string[] | undefined>
  hijack(): unknown
}

export interface LiveStreams {
  /**
   * Answers with a stream, fed by what `listen` tells; when it ends, calls what `listen` returned. Throws a Problem
   * (503) where there are too many streams, or the process is stopping.
   */
  open(reply: Reply, listen: (tell: (state: LiveState) => void) => () => void): void
  /** Ends all streams, and refuses new ones: the process is stopping. Clients come back to another after `retry`. */
  end(): void
}

interface Stream {
  /** Sends what there is to send and can be sent. */
  attend(): void
  end(): void
}

/** Each costs about 25 kB of memory and a socket. */
const maxStreams = 2_000
const retry = 'retry: 2000\n\n'
const keepAlive = ': keep-alive\n\n'
const keepAliveEveryMs = 15_000
const defaultTimes = { everyMs: 1_000, dropAfterMs: 30_000 }

export function createLiveStreams({ everyMs, dropAfterMs } = defaultTimes): LiveStreams {
  const streams = new Set<Stream>()
  let timer: NodeJS.Timeout | undefined
  let stopping = false

  function open(reply: Reply, listen: (tell: (state: LiveState) => void) => () => void): void {
    if (stopping) throw unavailable('This process is stopping. Please connect again.')
    if (streams.size >= maxStreams) {
      throw new Problem(503, 'Too many are listening already. Please try again later.', {
        headers: { 'retry-after': '10' },
      })
    }
    reply.hijack()
    const response = reply.raw
    // The client has gone already: there will be no 'close' any more.
    if (response.destroyed) return
    // Those of the rate limit.
    for (const [name, value] of Object.entries(reply.getHeaders())) response.setHeader(name, value ?? '')
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // For nginx (ngx_http_proxy_module, proxy_buffering): pass each message on as it comes.
      'x-accel-buffering': 'no',
      // The stream ends when the process stops; nothing must follow on this connection then.
      connection: 'close',
    })
    const stream = startStream(response, listen)
    streams.add(stream)
    timer ??= setInterval(attendAll, everyMs).unref()
    response.once('close', () => {
      streams.delete(stream)
      if (streams.size > 0) return
      clearInterval(timer)
      timer = undefined
    })
  }

  function attendAll(): void {
    for (const stream of streams) stream.attend()
  }

  function startStream(
    response: ServerResponse,
    listen: (tell: (state: LiveState) => void) => () => void,
  ): Stream {
    let started = false
    let latest: LiveState | undefined
    let sent: string | undefined
    let sentAt = Number.NEGATIVE_INFINITY
    let writtenAt = 0
    let blockedSince: number | undefined

    response.on('error', () => {})
    response.once(
      'close',
      listen(state => {
        latest = state
        if (started) attend()
      }),
    )
    // One write: a second one would find the bytes of the first still waiting.
    write(retry + takeMessage())
    started = true

    function attend(): void {
      const now = performance.now()
      if (response.writableLength > 0) {
        blockedSince ??= now
        if (now - blockedSince >= dropAfterMs) response.destroy()
        return
      }
      blockedSince = undefined
      // Timers may be early by a little.
      const message = now - sentAt >= 0.98 * everyMs ? takeMessage() : ''
      if (message !== '') write(message)
      else if (now - writtenAt >= keepAliveEveryMs) write(keepAlive)
    }

    /** The newest state, where the client has not got it yet; '' where it has. */
    function takeMessage(): string {
      if (latest === undefined || latest.counts === sent) return ''
      sent = latest.counts
      sentAt = performance.now()
      return latest.message()
    }

    function write(text: string): void {
      writtenAt = performance.now()
      response.write(text)
    }

    function end(): void {
      if (response.writableLength > 0) response.destroy()
      else response.end()
    }

    return { attend, end }
  }

  function end(): void {
    stopping = true
    for (const stream of streams) stream.end()
  }

  return { open, end }
}
