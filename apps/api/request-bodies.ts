/** How request bodies are read: JSON in valid UTF-8, against the schema without coercion; nothing else. */
import { isUtf8 } from 'node:buffer'
import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FastifyInstance } from 'fastify'
import { Problem } from './errors/problem.ts'

export function parseBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    // The default parser would put U+FFFD in place of what is not UTF-8 (RFC 8259, section 8.1 asks for UTF-8).
    if (!isUtf8(body as Buffer)) done(new Problem(400, 'The body is not valid UTF-8.'))
    else void parseJson(request, (body as Buffer).toString('utf8'), done)
  })

  // A number in a query is text that reads as a number; in a body it is a number.
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
