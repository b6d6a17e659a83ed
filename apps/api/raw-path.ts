/**
 * Serves links whose path contains bytes that are not percent-encoded: `/tour…`, or `/tour` with an invisible character,
 * as curl and simple clients send what was pasted. Node's HTTP parser refuses them, and its lenient mode would also
 * accept what request smuggling needs. So the head of the request is read here, more strictly than by the parser, and
 * served with the path percent-encoded; the connection is closed after the response.
 *
 * Only GET and HEAD without a body, whole in one packet, whose path is UTF-8 and may be a link. Anything else stays a
 * malformed request: the response is complete before it is sent, so live counts would never be, and an export would be
 * held in memory.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

export interface RawRequest {
  method: 'GET' | 'HEAD'
  url: string
  headers: Record<string, string>
}

/** Undefined: it is malformed. */
export function readRawRequest(packet: Buffer): RawRequest | undefined {
  const text = packet.toString('latin1')
  if (!text.endsWith('\r\n\r\n')) return undefined
  const [first = '', ...lines] = text.slice(0, -4).split('\r\n')
  const [, method, path = ''] = /^(GET|HEAD) (\/[\x21-\x7e\x80-\xff]*) HTTP\/1\.1$/.exec(first) ?? []
  const url = mayBeLink.test(path) ? percentEncode(path) : undefined
  if ((method !== 'GET' && method !== 'HEAD') || url === undefined) return undefined
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? []
    const key = name.toLowerCase()
    // Twice the same header, or a body: let the parser's refusal stand.
    if (key === '' || headers.has(key) || refused.has(key)) return undefined
    headers.set(key, value.trimEnd())
  }
  if (!headers.has('host')) return undefined
  // Without it, inject would send its own.
  return { method, url, headers: { 'user-agent': '', ...Object.fromEntries(headers) } }
}

/** `/tour…`, `/tour/…`, `/tour?x=…`; not `/stats/tour/live?x=…`, with whatever of it encoded. */
const mayBeLink = /^\/[^/?]*(?:\/(?:[^\w%?-][^?]*)?)?(?:\?.*)?$/

const refused = new Set(['content-length', 'transfer-encoding', 'expect', 'upgrade', '__proto__'])

function percentEncode(path: string): string | undefined {
  const decoded = Buffer.from(path, 'latin1').toString()
  if (decoded === path || decoded.includes('\ufffd')) return undefined
  return decoded.replace(/[^\0-\x7f]+/g, encodeURIComponent)
}

export async function serveRawRequest(
  app: FastifyInstance,
  request: RawRequest,
  socket: Socket,
): Promise<void> {
  const { remoteAddress = '127.0.0.1' } = socket
  const response = await app.inject({ ...request, remoteAddress })
  const headers = Object.entries({ ...response.headers, connection: 'close' })
    .flatMap(([name, value]) => [value ?? []].flat().map(each => `${name}: ${each}\r\n`))
    .join('')
  socket.write(`HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n${headers}\r\n`)
  socket.end(request.method === 'HEAD' ? '' : response.rawPayload)
}
