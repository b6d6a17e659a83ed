/** RFC 9457 problem details, the body of every response with a status of 400 or above. */
import type { FastifyReply } from 'fastify'
import type { TUnknown } from 'typebox'
import { Type } from 'typebox'
import { STATUS_CODES } from './http-names.ts'
import type { ProblemDocument } from './problem-schema.ts'

/** The problems that any route can respond with. */
const everywhere = {
  400: 'the request is malformed or does not match the schema',
  408: 'the request took too long to arrive',
  417: 'an Expect header other than 100-continue',
  431: 'the headers or the URI are too large',
  500: 'an internal error',
}

const retryAfter = { 'retry-after': { type: 'integer', description: 'seconds' } }

/** The response schemas of a route's problems: its own, described per status, and those of every route. */
export function problemResponses(descriptions: Record<number, string> = {}) {
  const entries = Object.entries({ ...everywhere, ...descriptions }).map(([status, description]) => [
    status,
    {
      description,
      content: { 'application/problem+json': { schema: Type.Ref('Problem#') } },
      ...(['429', '503'].includes(status) && { headers: retryAfter }),
    },
  ])
  return Object.fromEntries(entries) as Record<number, TUnknown>
}

type FieldErrors = NonNullable<ProblemDocument['errors']>
/** Members beyond those of every problem (RFC 9457, section 3.2). */
type Members = Pick<ProblemDocument, 'earliest' | 'longest'>

/** Thrown when a request can't be served; the error handler turns it into a response. */
export class Problem extends Error {
  readonly status: number
  readonly errors: FieldErrors | undefined
  readonly headers: Record<string, string>
  readonly members: Members

  constructor(
    status: number,
    detail: string,
    options: { errors?: FieldErrors; headers?: Record<string, string>; members?: Members } = {},
  ) {
    super(detail)
    this.status = status
    this.errors = options.errors
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }
}

/** A problem with one field of the body. */
export function fieldProblem(status: number, field: string, detail: string): Problem {
  return new Problem(status, detail, { errors: [{ pointer: `#/${field}`, detail }] })
}

/** Something that the request needs is unavailable; the client may retry soon. */
export function unavailable(detail: string): Problem {
  return new Problem(503, detail, { headers: { 'retry-after': '1' } })
}

export function problemDocument(status: number, detail: string, errors?: FieldErrors): ProblemDocument {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail, ...(errors && { errors }) }
}

/**
 * Returns a function that sends always the same problem, for responses that are sent in floods: without the stack trace
 * of an Error (5 % of the cost of such a response), and serialized once.
 */
export function constantProblem(status: number, detail: string): (reply: FastifyReply) => void {
  const document = JSON.stringify(problemDocument(status, detail))
  return reply => {
    reply.code(status).header('cache-control', 'no-store').type('application/problem+json').send(document)
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers({ 'cache-control': 'no-store', ...problem.headers })
    .type('application/problem+json')
    .send(
      JSON.stringify({
        ...problemDocument(problem.status, problem.message, problem.errors),
        ...problem.members,
      }),
    )
}
