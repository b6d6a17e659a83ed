/** Requests to an API process, and what every one of its responses must satisfy. */
import { expect } from 'vitest'
import type { RawAnswer, RawOutcome, RawRequestOptions } from './raw-http.ts'
import { sendRaw } from './raw-http.ts'

/** The bytes of a request; text is one byte per character. Content-Length is the body's length unless a header sets it. */
export function requestBytes(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): string {
  const all = {
    host: 'hop.example',
    ...(body !== '' && { 'content-length': String(body.length) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** The bytes of POST /shorten with this JSON text (or this value as JSON). */
export function shortenBytes(body: unknown, headers: Record<string, string> = {}): string {
  const text = typeof body === 'string' ? body : Buffer.from(JSON.stringify(body)).toString('latin1')
  const length = { 'content-length': String(text.length) }
  return requestBytes('POST', '/shorten', { 'content-type': 'application/json', ...length, ...headers }, text)
}

/** Sends the bytes; throws if there is no response. */
export async function answerTo(
  port: number,
  bytes: string,
  options: RawRequestOptions = {},
): Promise<RawAnswer> {
  const outcome: RawOutcome = await sendRaw({ host: '127.0.0.1', port }, bytes, {
    timeoutMs: 20_000,
    ...options,
  })
  if (typeof outcome === 'string')
    throw new Error(`${outcome} instead of an answer to ${bytes.slice(0, 200)}`)
  return outcome
}

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  errors?: { pointer: string; detail: string }[]
}

/** Checks that the response is complete problem+json with this status and reveals no internals; returns it. */
export function expectProblem(answer: RawAnswer, status: number): ProblemBody {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status })
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json(;|$)/)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expectNothingOfTheInside(answer)
  const problem = JSON.parse(answer.body) as ProblemBody
  expect(problem).toMatchObject({
    type: expect.stringMatching(/^about:blank$|^https?:/),
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/^[A-Z].*\.$|^\S+ .*\.$/),
  })
  for (const { pointer, detail } of problem.errors ?? []) {
    expect(pointer).toMatch(/^#(\/[^#]*)?$/)
    expect(detail).not.toBe('')
  }
  return problem
}

const inside =
  /node_modules|\.[cm]?[jt]s\b|fastify|FST_|HPE_|\bajv\b|typebox|postgres|\bpg\b|redis|bullmq|SQLSTATE|\bSELECT\b|\bINSERT\b|ECONN|\n\s+at /

function expectNothingOfTheInside(answer: RawAnswer): void {
  expect(answer.body).not.toMatch(inside)
  for (const name of ['server', 'x-powered-by', 'via', 'x-aspnet-version'])
    expect(answer.headers.get(name)).toBeNull()
}
