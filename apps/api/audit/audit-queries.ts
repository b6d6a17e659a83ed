import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { ClientBase, Pool } from 'pg'
import type { Actor } from '../access/actor.ts'

export interface AuditEntry {
  action: string
  /** Undefined: not about a link. */
  linkId: number | undefined
  /** The slug, the name of the key, or the domain. */
  subject: string
  /** Per field the value before and after. */
  changes?: Record<string, [before: unknown, after: unknown]>
}

/** Call it with the client of the transaction that makes the change: both commit together. */
export async function writeAudit(
  database: Pick<Pool | ClientBase, 'query'>,
  actor: Pick<Actor, 'keyId' | 'via'>,
  entries: AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return
  await database.query({
    name: 'write-audit',
    text: `INSERT INTO audit (key_id, via, action, link_id, subject, changes)
           SELECT $1, $2, action, link_id, subject, changes
           FROM jsonb_to_recordset($3::jsonb) AS entry (action text, link_id bigint, subject text, changes jsonb)`,
    values: [
      actor.keyId ?? null,
      actor.via,
      JSON.stringify(
        entries.map(({ action, linkId, subject, changes = {} }) => ({
          action,
          link_id: linkId ?? null,
          subject,
          changes,
        })),
      ),
    ],
  })
}

export interface AuditRow {
  id: number
  at: Date
  keyId: number | null
  keyName: string | null
  via: string
  action: string
  subject: string
  changes: Record<string, [before: unknown, after: unknown]>
}

export interface AuditFilter {
  linkId?: number
  action?: string | undefined
  keyId?: number | undefined
  /** The id before which the page begins. */
  after?: number | undefined
  limit: number
}

/** Newest first. */
export async function readAudit(database: Database, filter: AuditFilter): Promise<AuditRow[]> {
  const { linkId, action, keyId, after, limit } = filter
  const conditions = [
    sql`true`,
    ...(linkId === undefined ? [] : [sql`link_id = ${linkId}`]),
    ...(action === undefined ? [] : [sql`action = ${action}`]),
    ...(keyId === undefined ? [] : [sql`key_id = ${keyId}`]),
    ...(after === undefined ? [] : [sql`audit.id < ${after}`]),
  ]
  const { rows } = await sql<AuditRow>`
    SELECT audit.id, at, key_id AS "keyId", keys.name AS "keyName", via, action, subject, changes
    FROM audit LEFT JOIN keys ON keys.id = audit.key_id
    WHERE ${sql.join(conditions, sql` AND `)} ORDER BY audit.id DESC LIMIT ${limit}`.execute(database)
  return rows
}

/** The fields of a link that were changed since it was created, with their values before the first change. */
export async function valuesBeforeChanges(
  database: Database,
  linkId: number,
): Promise<Record<string, unknown>> {
  const { rows } = await sql<{ field: string; value: unknown }>`
    SELECT DISTINCT ON (field) field, change -> 0 AS value
    FROM audit, jsonb_each(changes) AS each (field, change)
    WHERE link_id = ${linkId} AND action <> 'link.created'
    ORDER BY field, id`.execute(database)
  return Object.fromEntries(rows.map(({ field, value }) => [field, value]))
}
