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
