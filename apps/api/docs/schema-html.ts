/** JSON schemas of the OpenAPI document as HTML: in a few words, and with the properties of objects below. */
import { escapeHtml } from '../errors/visitor-pages.ts'

export interface Schema {
  $ref?: string
  type?: string
  format?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
  description?: string
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  required?: string[]
}

export type Resolve = (schema: Schema) => Schema

/** Text with code in backticks. */
export function prose(text: string | undefined): string {
  return escapeHtml(text ?? '').replace(/`([^`]+)`/g, '<code>$1</code>')
}

/** `array of string or null, 1 to 100, default 10`. */
export function typeWords(schema: Schema, resolve: Resolve): string {
  const { minimum, maximum, minLength, maxLength, maxItems } = schema
  const limits = [
    rangeWords(minimum, maximum, ''),
    rangeWords(minLength, maxLength, ' characters'),
    rangeWords(undefined, maxItems, ' items'),
  ]
  const byDefault =
    schema.default === undefined ? '' : `default <code>${escapeHtml(String(schema.default))}</code>`
  return [typeName(schema, resolve), ...limits, byDefault].filter(words => words !== '').join(', ')
}

function typeName(given: Schema, resolve: Resolve): string {
  const schema = resolve(given)
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const])
  if (values !== undefined)
    return values.map(value => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' or ')
  if (schema.anyOf !== undefined)
    return [...new Set(schema.anyOf.map(each => typeName(each, resolve)))].join(' or ')
  if (schema.type === 'array') return `array of ${typeName(schema.items ?? {}, resolve)}`
  return escapeHtml(schema.format ?? schema.type ?? 'any')
}

function rangeWords(least: number | undefined, most: number | undefined, unit: string): string {
  const [from, to] = [least, most].map(limit => limit?.toLocaleString('en'))
  if (from !== undefined && to !== undefined) return `${from} to ${to}${unit}`
  if (from !== undefined) return `at least ${from}${unit}`
  return to === undefined ? '' : `at most ${to}${unit}`
}

/** The properties of an object, or of the objects of an array; empty for other types. */
export function propertiesHtml(given: Schema, resolve: Resolve): string {
  const schema = resolve(given)
  if (schema.type === 'array') return propertiesHtml(schema.items ?? {}, resolve)
  const inner = schema.anyOf?.map(each => propertiesHtml(each, resolve)) ?? []
  const entries = Object.entries(schema.properties ?? {})
  if (entries.length === 0) return [...new Set(inner)].join('')
  const rows = entries.map(([name, property]) =>
    definition(name, {
      type: typeWords(property, resolve),
      isRequired: schema.required?.includes(name) ?? false,
      description: property.description ?? resolve(property).description,
      below: propertiesHtml(property, resolve),
    }),
  )
  return `<dl>${rows.join('')}</dl>`
}

export function definition(
  name: string,
  about: { type: string; isRequired: boolean; description: string | undefined; below?: string },
): string {
  const { type, isRequired, description, below = '' } = about
  return `<dt><code>${escapeHtml(name)}</code> <span>${type}${isRequired ? '' : ', optional'}</span></dt><dd>${prose(description)}${below}</dd>`
}
