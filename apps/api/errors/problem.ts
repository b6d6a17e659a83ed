/** Errors as RFC 9457 problem details, for every answer of 400 and above. */
import type { FastifyReply } from 'fastify'
import type { Static, TUnknown } from 'typebox'
import { Type } from 'typebox'
import { STATUS_CODES } from './http-names.ts'

export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      description: 'a URI that names the kind of problem; `about:blank`: no more than the status says',
    }),
    title: Type.String({ description: 'the status in words' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'what was wrong with this request' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the field, as a URI fragment' }),
          detail: Type.String(),
        }),
      ),
    ),
    earliest: Type.Optional(
      Type.String({ format: 'date-time', description: 'where the range asked for could begin' }),
    ),
  },
  { description: 'RFC 9457 problem details', $id: 'Problem' },
)

/** What any request can be answered, whatever its route. */
const everywhere = {
  400: 'not well-formed, or does not fit the schema',
  408: 'took too long to arrive',
  417: 'an Expect header other than 100-continue',
  431: 'headers or URI too large',
  500: 'something went wrong on our side',
}

const retryAfter = { 'retry-after': { type: 'integer', description: 'seconds' } }

/** The problems that a route answers, as response schemas: what it says of each status, and those of every route. */
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

export type ProblemDocument = Static<typeof ProblemSchema>
type FieldErrors = NonNullable<ProblemDocument['errors']>
/** Members beyond those of every problem (RFC 9457, section 3.2). */
type Members = Pick<ProblemDocument, 'earliest'>

/** Thrown where a request can't be served as asked; the error handler answers it. */
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

/** A problem of one field of the body. */
export function fieldProblem(status: number, field: string, detail: string): Problem {
  return new Problem(status, detail, { errors: [{ pointer: `#/${field}`, detail }] })
}

/** The database can't be reached: the client may try again soon. */
export function unavailable(detail: string): Problem {
  return new Problem(503, detail, { headers: { 'retry-after': '1' } })
}

export function problemDocument(status: number, detail: string, errors?: FieldErrors): ProblemDocument {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail, ...(errors && { errors }) }
}

/**
 * Sends a problem that is the same each time, for answers that come in floods: without the stack trace that an Error
 * takes (5 % of such an answer), and with a document that is printed once.
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
