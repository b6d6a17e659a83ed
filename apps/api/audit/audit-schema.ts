import type { Static } from 'typebox'
import { Type } from 'typebox'
import type { AuditRow } from './audit-queries.ts'
import { ByKeySchema, describeKey } from './by-key.ts'

export const pageProperties = {
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 100 }),
  after: Type.Optional(
    Type.String({ pattern: '^\\d{1,15}$', description: 'the next page, from the `Link` header' }),
  ),
}

export const linkHeader = { link: { type: 'string', description: 'the next page, rel="next"' } }

/** Type.Tuple is not a schema of JSON Schema 2020-12, as OpenAPI 3.1 requires it. */
const beforeAndAfter = Type.Unsafe<[unknown, unknown]>(
  Type.Array(Type.Unknown(), { minItems: 2, maxItems: 2 }),
)

const entry = {
  at: Type.String({ format: 'date-time' }),
  by: ByKeySchema,
  via: Type.String({ description: 'api, page, or command (on the server)' }),
  action: Type.String({ description: 'link.created, link.changed, link.deleted, key.created, …' }),
  changes: Type.Record(Type.String(), beforeAndAfter, {
    description: 'the fields that changed, each with its value before and after',
  }),
}

export const HistoryEntrySchema = Type.Object(entry)
export type HistoryEntry = Static<typeof HistoryEntrySchema>

export const AuditEntrySchema = Type.Object({
  ...entry,
  subject: Type.String({ description: 'the slug, the name of the key, or the domain' }),
})

export function describeEntry(row: AuditRow): HistoryEntry {
  return {
    at: row.at.toISOString(),
    by: describeKey(row.keyId, row.keyName),
    via: row.via,
    action: row.action,
    changes: row.changes,
  }
}
