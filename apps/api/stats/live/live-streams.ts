/**
 * The open live streams of a process (server-sent events: WHATWG HTML, section 9.2).
 *
 * A stream sends its counts when they have changed, at most once a second. Otherwise it sends how fresh they are: every 5 s,
 * and as soon as counting becomes late or catches up. So a client that hears nothing for longer knows that its numbers may
 * be old: the database can't be read, or the connection is dead. While the database can't be read, a comment every 15 s
 * tells each side that the other is still there. Nothing is queued for a client that doesn't read: while bytes wait for its socket
 * it is sent nothing, then the newest state; after `dropAfterMs` without progress it is disconnected. One timer serves all
 * streams.
 *
 * Why not @fastify/sse 0.6: it writes comments even when the socket is full, has a timer and a message of its own for
 * each connection, and its errors are not problem+json.
 */
import type { ServerResponse } from 'node:http'
import { Problem, unavailable } from '../../errors/problem.ts'
import type { LiveState } from './live-source.ts'

/** The part of Fastify's reply that is used. */
interface Reply {
  raw: ServerResponse
  getHeaders(): Record<string, string | number | string[] | undefined>
  hijack(): unknown
}

export interface LiveStreams {
  /**
   * Responds with a stream of the states that `listen` reports; when it ends, calls what `listen` returned. Throws a
   * Problem (503) when there are too many streams, or the process is stopping.
   */
  open(reply: Reply, listen: (notify: (state: LiveState) => void) => () => void): void
  /** Ends all streams and refuses new ones, because the process is stopping. Clients reconnect, to another process, after `retry`. */
  end(): void
}

interface Stream {
  /** Sends what is due, if the socket can take it. */
  attend(): void
  end(): void
}

/** A stream costs about 25 kB of memory and a socket. */
const maxStreams = 2_000
/** Everybody in an office may have one address, and each open page a stream. */
export const maxStreamsPerClient = 50
const retry = 'retry: 2000\n\n'
const keepAlive = ': keep-alive\n\n'
const keepAliveEveryMs = 15_000
const defaultTimes = { everyMs: 1_000, freshnessEveryMs: 5_000, dropAfterMs: 30_000 }

export function createLiveStreams({ everyMs, freshnessEveryMs, dropAfterMs } = defaultTimes): LiveStreams {
  const streams = new Set<Stream>()
  let timer: NodeJS.Timeout | undefined
  let stopping = false

  function open(reply: Reply, listen: (notify: (state: LiveState) => void) => () => void): void {
    if (stopping) throw unavailable('This process is stopping. Please reconnect.')
    if (streams.size >= maxStreams) {
      throw new Problem(503, 'There are too many live streams already. Please try again later.', {
        headers: { 'retry-after': '10' },
      })
    }
    reply.hijack()
    const response = reply.raw
    // The client is gone already, so there will be no 'close' event.
    if (response.destroyed) return
    // The rate limit's headers.
    for (const [name, value] of Object.entries(reply.getHeaders())) response.setHeader(name, value ?? '')
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Tells nginx to pass on each message at once (ngx_http_proxy_module, proxy_buffering).
      'x-accel-buffering': 'no',
      // The stream ends when the process stops; no request may follow on this connection.
      connection: 'close',
    })
    const stream = startStream(response, listen)
    streams.add(stream)
    timer ??= setInterval(attendAll, everyMs).unref()
    // The server lets a client end its side and wait for its responses (http-server.ts); this one has no end.
    response.socket?.once('end', () => response.destroy())
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
    listen: (notify: (state: LiveState) => void) => () => void,
  ): Stream {
    let started = false
    let latest: LiveState | undefined
    /** What the client has, and the state that last told it how fresh that is. */
    let sent: string | undefined
    let told: LiveState | undefined
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
    // One write: at a second one, the bytes of the first would still be waiting.
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
      // Timers may fire slightly early.
      const message = (now - sentAt >= 0.98 * everyMs ? takeMessage() : '') || takeFreshness(now)
      if (message !== '') write(message)
      else if (now - writtenAt >= keepAliveEveryMs) write(keepAlive)
    }

    /** The newest state as a message; '' if the client has it already. */
    function takeMessage(): string {
      if (latest === undefined || latest.counts === sent) return ''
      sent = latest.counts
      told = latest
      sentAt = performance.now()
      return latest.message()
    }

    /** '' if nothing has been read since the client was last told, or it was told a moment ago. */
    function takeFreshness(now: number): string {
      if (latest === undefined || latest === told) return ''
      if (now - writtenAt < 0.98 * freshnessEveryMs && latest.isLate === told?.isLate) return ''
      told = latest
      return latest.freshness()
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
