/** Request bodies must be JSON in valid UTF-8, and are validated without coercion. */
import { isUtf8 } from 'node:buffer'
import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FastifyError, FastifyInstance } from 'fastify'
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
  app.setValidatorCompiler(route =>
    route.httpPart === 'body' ? strict(route) : refuseInfinite(coercing(route) as Validate),
  )
}

interface Validate {
  (data: unknown): boolean
  errors?: NonNullable<FastifyError['validation']> | null
}

/** Ajv turns the text `1e999` into Infinity, and then skips `maximum`, which is only for finite numbers. */
function refuseInfinite(validate: Validate): Validate {
  const finite: Validate = data => {
    const result = validate(data)
    finite.errors = validate.errors ?? null
    if (result === false || typeof data !== 'object' || data === null) return result
    const infinite = Object.keys(data).filter(name => isInfinite(data[name as keyof typeof data]))
    if (infinite.length === 0) return result
    finite.errors = infinite.map(name => ({
      instancePath: `/${name}`,
      schemaPath: '',
      keyword: 'type',
      message: 'must be a finite number',
      params: {},
    }))
    return false
  }
  return finite
}

function isInfinite(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value)
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
