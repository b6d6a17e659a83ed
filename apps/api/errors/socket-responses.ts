/**
 * Responses to requests that never reach Fastify: they are written to the socket, which is then closed.
 *
 * Valid requests may have arrived before, even in the same packet (pipelining: RFC 9112, section 9.3.2). Their visits are
 * counted, so their responses are sent first.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { problemDocument } from './problem.ts'

/** Calls `respond` once the responses to all whole requests on this connection are sent, or the connection is gone. */
export function afterResponses(socket: Duplex, respond: () => void): void {
  const response = responseUnderWay(socket)
  // The request whose body is malformed, or never ends, is the last one. It gets no other response.
  if (response === undefined || !response.req.complete) respond()
  else response.once('close', () => afterResponses(socket, respond))
}

/** Node assigns the responses of pipelined requests to their socket one after the other, and names the present one only here. */
function responseUnderWay(
  socket: Duplex & { _httpMessage?: ServerResponse | null },
): ServerResponse | undefined {
  return socket._httpMessage ?? undefined
}

/** @param error from Node's HTTP parser, or its timeout */
export function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || responseUnderWay(socket)?.headersSent) {
    socket.destroy()
    return
  }
  const status = malformedStatus[error.code ?? ''] ?? 400
  endWithProblem(socket, status, malformedDetail[status] ?? 'The request is not valid HTTP.')
}

/** Without it Node closes the connection and sends nothing. Node leaves errors and the end of the socket to this listener. */
export function refuseConnect(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy()).once('finish', () => socket.destroy())
  afterResponses(socket, () => endWithProblem(socket, 501, 'This service is no proxy.'))
}

function endWithProblem(socket: Duplex, status: number, detail: string): void {
  const document = problemDocument(status, detail)
  const body = JSON.stringify(document)
  const lines = [
    `HTTP/1.1 ${status} ${document.title}`,
    'content-type: application/problem+json',
    'cache-control: no-store',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

const malformedStatus: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

const malformedDetail: Record<number, string> = {
  408: 'The request took too long to arrive.',
  431: 'The headers are too large.',
}
