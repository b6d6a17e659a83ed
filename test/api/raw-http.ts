/**
 * Sends raw bytes to an HTTP server, for requests that no HTTP client would send: malformed, contradictory, slow.
 *
 * Reads the first final response and hangs up. Always ends, after `timeoutMs` at the latest.
 */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface RawAnswer {
  status: number
  headers: Headers
  body: string
}

export interface RawRequestOptions {
  /** Bytes sent at a time; all at once if absent. */
  dripBytes?: number
  /** The pause between them; 100 ms if absent. */
  dripEveryMs?: number
  /** How long to wait for the response, measured from connecting; 5 s if absent. */
  timeoutMs?: number
}

/** The response; `closed` if the server hangs up before it is complete, `timeout` if none arrives in time. */
export type RawOutcome = RawAnswer | 'closed' | 'timeout'

/** Text is sent as Latin-1, one byte per character, so that `\xff` is the byte 0xff. */
export function sendRaw(
  server: { host: string; port: number },
  request: string | Uint8Array,
  options: RawRequestOptions = {},
): Promise<RawOutcome> {
  const bytes = typeof request === 'string' ? Buffer.from(request, 'latin1') : Buffer.from(request)
  const hasBody = !bytes.subarray(0, 5).equals(Buffer.from('HEAD '))
  const { timeoutMs = 5_000 } = options

  return new Promise(resolve => {
    const stopped = new AbortController()
    const socket = connect(server)
    const timer = setTimeout(() => finish('timeout'), timeoutMs)
    let received = Buffer.alloc(0)

    function finish(outcome: RawOutcome): void {
      clearTimeout(timer)
      stopped.abort()
      socket.destroy()
      resolve(outcome)
    }

    socket.setNoDelay(true)
    socket.on('connect', () => void drip(chunk => socket.write(chunk), bytes, options, stopped.signal))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const answer = readAnswer(received, { hasBody, ended: false })
      if (answer !== undefined) finish(answer)
    })
    // A server that refuses a request early may reset the connection; what it sent before that counts.
    socket.on('error', () => {})
    socket.on('close', () => finish(readAnswer(received, { hasBody, ended: true }) ?? 'closed'))
  })
}

async function drip(
  write: (chunk: Uint8Array) => void,
  bytes: Buffer,
  options: RawRequestOptions,
  stopped: AbortSignal,
): Promise<void> {
  const { dripBytes = Math.max(bytes.length, 1), dripEveryMs = 100 } = options
  for (let sent = 0; sent < bytes.length && !stopped.aborted; sent += dripBytes) {
    if (sent > 0) await sleep(dripEveryMs)
    if (!stopped.aborted) write(bytes.subarray(sent, sent + dripBytes))
  }
}

/** The first final response in the bytes; undefined while it is incomplete (RFC 9112, section 6.3). */
function readAnswer(
  received: Buffer,
  connection: { hasBody: boolean; ended: boolean },
): RawAnswer | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...headerLines] = received.subarray(0, headEnd).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1])
  const rest = received.subarray(headEnd + 4)
  // 1xx responses such as 100 Continue precede the final one (RFC 9110, section 15.2).
  if (status < 200) return readAnswer(rest, connection)

  const headers = new Headers(headerLines.map(readHeader))
  const body = readBody(rest, status, headers, connection)
  return body === undefined ? undefined : { status, headers, body: body.toString() }
}

function readHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function readBody(
  rest: Buffer,
  status: number,
  headers: Headers,
  connection: { hasBody: boolean; ended: boolean },
): Buffer | undefined {
  if (!connection.hasBody || status === 204 || status === 304) return Buffer.alloc(0)
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(rest)
  const contentLength = headers.get('content-length')
  if (contentLength === null) return connection.ended ? rest : undefined
  return rest.length < Number(contentLength) ? undefined : rest.subarray(0, Number(contentLength))
}

/** The chunked coding of RFC 9112, section 7.1; trailers are ignored. */
function readChunks(rest: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  for (let start = 0; ; ) {
    const sizeEnd = rest.indexOf('\r\n', start)
    if (sizeEnd < 0) return undefined
    const size = Number.parseInt(rest.subarray(start, sizeEnd).toString('latin1'), 16)
    if (size === 0) return Buffer.concat(chunks)
    const next = sizeEnd + 2 + size + 2
    if (!(next <= rest.length)) return undefined
    chunks.push(rest.subarray(sizeEnd + 2, sizeEnd + 2 + size))
    start = next
  }
}
