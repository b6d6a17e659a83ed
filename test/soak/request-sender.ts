import { randomInt } from 'node:crypto'
import { Agent, request } from 'node:http'

export interface Response {
  /** 0: the response did not arrive completely and in time. */
  status: number
  body: string
}

/** Sends requests to a port of this machine over at most 32 connections, each from one of 20,000 visitors. */
export interface RequestSender {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  head(path: string): Promise<Response>
  post(path: string, json: string): Promise<Response>
  close(): void
}

export function createRequestSender(port: number, timeoutMs: number): RequestSender {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })

  function send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Response> {
    return new Promise(resolve => {
      const fail = () => resolve({ status: 0, body: '' })
      const sent = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        agent,
        timeout: timeoutMs,
        // The API trusts the sender as its proxy.
        headers: { 'x-forwarded-for': `93.184.${randomInt(80)}.${randomInt(250)}`, ...headers },
      })
      sent.on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', fail)
      })
      sent.on('timeout', () => sent.destroy(new Error('timeout')))
      sent.on('error', fail)
      sent.end(body)
    })
  }

  return {
    get: (path, headers) => send('GET', path, headers),
    head: path => send('HEAD', path),
    post: (path, json) =>
      send(
        'POST',
        path,
        { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(json)) },
        json,
      ),
    close: () => agent.destroy(),
  }
}
