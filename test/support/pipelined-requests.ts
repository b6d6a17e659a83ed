/** Valid requests with something else behind them in the same packet, and all that the server sends back. */
import { connect } from 'node:net'

export interface Follower {
  bytes: string
  /** The status that it gets; undefined: it needs none. */
  status: number | undefined
  /** The client ends its side with the packet. */
  ends?: boolean
}

export const followers: Record<string, Follower> = {
  garbage: { bytes: 'no HTTP at all\r\n\r\n', status: 400 },
  'oversized headers': { bytes: `GET / HTTP/1.1\r\nx: ${'x'.repeat(17 * 1024)}\r\n\r\n`, status: 431 },
  'a broken body': {
    bytes:
      'POST /shorten HTTP/1.1\r\nhost: hop\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    status: 400,
  },
  CONNECT: { bytes: 'CONNECT hop:443 HTTP/1.1\r\nhost: hop:443\r\n\r\n', status: 501 },
  'the end in the middle of a request': { bytes: 'GET /half HTTP/1.1\r\nho', status: 400, ends: true },
  'the end': { bytes: '', status: undefined, ends: true },
}

export function getRequest(path: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ host: 'hop', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** The statuses of all responses, until the server ends the connection. */
export function statusesOfPacket(
  port: number,
  valid: string[],
  { bytes, ends = false }: Follower,
): Promise<number[]> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(valid.join('') + bytes)
      if (ends) socket.end()
    })
    socket.setEncoding('latin1').on('data', data => {
      text += data
    })
    socket.setTimeout(30_000, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () =>
      resolve([...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(match => Number(match[1]))),
    )
  })
}
