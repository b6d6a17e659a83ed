/** Turns every error into a Problem, including those of Fastify itself. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorText } from '@hopcount/shared/log.ts'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { METHODS } from './http-names.ts'
import { Problem, problemDocument, sendProblem, unavailable } from './problem.ts'
import { schemaProblem } from './schema-problem.ts'
import { refuseConnect } from './socket-responses.ts'
import type { VisitorPages } from './visitor-pages.ts'

/** The handler of addresses that no route has is set by redirectRoutes: they may be damaged links. */
export function installErrorHandlers(app: FastifyInstance, pages: VisitorPages): void {
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, pages))
  app.server.on('checkExpectation', answerExpectation)
  app.server.on('connect', refuseConnect)
}

/** Adds a 405 with Allow for the methods that a path does not support (RFC 9110, section 15.5.6). Call after all routes. */
export function refuseOtherMethods(
  app: FastifyInstance,
  routes: ReadonlyMap<string, ReadonlySet<string>>,
  pages: VisitorPages,
): void {
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  for (const [url, methods] of routes) {
    app.route({
      method: METHODS.filter(method => !methods.has(method)),
      url,
      config: { access: 'open' },
      schema: { hide: true },
      // Before the body is parsed, since it doesn't matter.
      onRequest: (_request, reply) => {
        const allow = [...methods].join(', ')
        pages.send(
          reply,
          new Problem(405, 'This address does not support that method.', { headers: { allow } }),
        )
      },
      handler: () => {},
    })
  }
}

/** For errors before routing: a path that can't be decoded (/%zz), an unknown method. */
export function frameworkErrorHandler(pages: VisitorPages) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void =>
    answerError(error, request, reply, pages)
}

function answerError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  pages: VisitorPages,
): void {
  // The client disconnected in the middle of its body: nobody reads the response, and it is no failure of ours.
  const cutOff = error === request.raw.errored
  const problem = cutOff ? new Problem(400, 'The body was cut off.') : asProblem(error)
  if (problem.status >= 500 && !(error instanceof Problem)) logFailure(error, request, problem.status)
  // The routes of the API are for programs, and their problems say more than a page.
  const route = request.routeOptions?.url
  if (route === undefined || route === slugRoute) pages.send(reply, problem)
  else sendProblem(reply, problem)
}

export const slugRoute = '/:slug'

/** During an outage every request fails. The health log of the connection reports its start and end; this is a reminder. */
const logOutageEveryMs = 60_000
let outageLoggedAt = Number.NEGATIVE_INFINITY

function logFailure(error: FastifyError, request: FastifyRequest, status: number): void {
  if (status === 503) {
    if (performance.now() - outageLoggedAt < logOutageEveryMs) return
    outageLoggedAt = performance.now()
  }
  const route = request.routeOptions?.url
  request.log.error({ reason: errorText(error), code: error.code, route }, 'request failed')
}

function asProblem(error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (error.validation) return schemaProblem(error.validation, error.validationContext ?? 'request')
  if (isConnectionError(error))
    return unavailable('The database is not reachable at the moment. Please try again.')
  // A slug of that length can't exist, so it is not looked up.
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return new Problem(404, 'There is nothing at this address.')
  const status = error.statusCode ?? 500
  if (status >= 500) return new Problem(500, 'An internal error occurred.')
  return new Problem(status, clientErrorDetails[error.code] ?? error.message)
}

/** Fastify's own messages for these expose internals or repeat the input. */
const clientErrorDetails: Record<string, string> = {
  FST_ERR_BAD_URL: 'The path is not validly percent-encoded.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not valid JSON.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty; a JSON object is expected.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The body must be application/json.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too large.',
}

/**
 * SQLSTATE classes 08 (connection), 53 (resources), 57P (shutdown), 25006 (read-only), 57014 (statement timeout), and the
 * errors of node-postgres and the operating system for an unreachable server.
 */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.some(isConnectionError)
  const code = 'code' in error ? String(error.code) : ''
  if (
    /^(08|53|57P|25006|57014|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/.test(code)
  )
    return true
  return /connection (terminated|ended|timeout|error)|timeout exceeded when trying to connect|terminating connection|Query read timeout|not queryable/i.test(
    error.message,
  )
}

/** An `Expect` header other than 100-continue (RFC 9110, section 10.1.1); Node would respond without a body. */
function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const document = problemDocument(417, 'The expectation in the Expect header is not supported.')
  response
    .writeHead(417, {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      connection: 'close',
    })
    .end(JSON.stringify(document))
}
