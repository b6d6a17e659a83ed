/** What does not match a schema becomes a Problem (400) that names every field. */
import type { FastifyError } from 'fastify'
import { Problem } from './problem.ts'

type SchemaErrors = NonNullable<FastifyError['validation']>

/** @param where the part of the request that the errors are in, as Fastify names it */
export function schemaProblem(failures: SchemaErrors, where: string): Problem {
  const details = new Map<string, string>()
  const choices = new Map<string, unknown[]>()
  for (const { instancePath, keyword, message, params } of failures) {
    const field = params.missingProperty ?? params.additionalProperty
    const pointer = field === undefined ? instancePath : `${instancePath}/${escapePointer(String(field))}`
    if (keyword === 'const') choices.set(pointer, [...(choices.get(pointer) ?? []), params.allowedValue])
    if (!details.has(pointer)) details.set(pointer, message ?? 'is not valid')
  }
  for (const [pointer, values] of choices) details.set(pointer, `must be one of: ${values.join(', ')}`)
  const errors = [...details].map(([pointer, detail]) => ({ pointer: uriFragment(pointer), detail }))
  return new Problem(400, `The ${where === 'querystring' ? 'query' : where} does not match the schema.`, {
    errors,
  })
}

/** RFC 6901, section 6. */
function uriFragment(pointer: string): string {
  return `#${encodeURI(pointer).replaceAll('#', '%23')}`
}

/** RFC 6901, section 3. Field names come from the client, so they are truncated to the length of a schema's names. */
function escapePointer(field: string): string {
  return field.slice(0, 64).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')
}
