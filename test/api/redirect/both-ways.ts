/**
 * Sends a request by both ways of a redirect. A slug with a percent-encoded character means the same link, and only Fastify
 * decodes it.
 */
import { connect } from 'node:net'
import type { Kind } from './kinds-of-requests.ts'

/** Both responses. */
export async function bothWays(
  port: number,
  slug: string,
  other: string,
  kind: Omit<Kind, 'isFast'>,
): Promise<[string, string]> {
  const fast = await exchange(port, kind.bytes(`/${slug}`), kind)
  return [fast, await exchange(port, kind.bytes(`/${encoded(other)}`), kind)]
}

/** The same slug for Fastify alone. */
export function encoded(slug: string): string {
  return `%${slug.charCodeAt(0).toString(16)}${slug.slice(1)}`
}

/**
 * All that the server sends until it, or the client after the last response, ends the connection; with one Date.
 * @param hold the end of the request is sent when it resolves
 */
export function exchange(
  port: number,
  bytes: string,
  { statuses, ends = false }: Omit<Kind, 'bytes' | 'isFast'>,
  hold?: () => Promise<void>,
): Promise<string> {
  return new Promise(resolve => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => {
      if (hold === undefined) socket.write(bytes, 'latin1')
      else socket.write(bytes.slice(0, -2), () => void hold().then(() => socket.write(bytes.slice(-2))))
      if (ends) socket.end()
    })
    socket.setTimeout(30_000, () => socket.destroy())
    socket.setEncoding('latin1').on('data', data => {
      received += data
      if (statusesOf(received).length >= statuses.length && received.includes('\r\n\r\n')) socket.end()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received.replace(/^date: .*$/gim, 'date: now')))
  })
}

export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]))
}
