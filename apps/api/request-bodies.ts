/** Request bodies must be JSON in valid UTF-8, and are validated without coercion. */
import { isUtf8 } from 'node:buffer'
import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FastifyInstance } from 'fastify'
import { Problem } from './errors/problem.ts'

export function parseBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  parseAsJson(app, 'application/json')

  // Numbers in a query string are text and need coercion; in a body they are numbers.
  const compile = AjvCompiler()
  const strict = compile(
    {},
    { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
  )
  const coercing = compile(
    {},
    { customOptions: { coerceTypes: 'array', removeAdditional: false, allErrors: true } },
  )
  app.setValidatorCompiler(route => (route.httpPart === 'body' ? strict : coercing)(route))
}

/** In this plugin, bodies may be merge patches (RFC 7396), too. */
export function parseMergePatches(app: FastifyInstance): void {
  parseAsJson(app, 'application/merge-patch+json')
}

function parseAsJson(app: FastifyInstance, mediaType: string): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (request, body, done) => {
    // The default parser would replace invalid UTF-8 with U+FFFD (RFC 8259, section 8.1 requires UTF-8).
    if (!isUtf8(body as Buffer)) done(new Problem(400, 'The body is not valid UTF-8.'))
    else void parseJson(request, (body as Buffer).toString('utf8'), done)
  })
}
