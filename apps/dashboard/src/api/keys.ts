import type { HistoryEntry } from '../../../api/audit/audit-schema.ts'
import type { CreatedKey, Key } from '../../../api/keys/key-schema.ts'
import { send } from './send.ts'

export type { CreatedKey, Key }
export type AuditEntry = HistoryEntry & { subject: string }

export const keysPath = '/api/keys'

/** The body is as it was typed: the server checks it. */
export const createKey = (body: Record<string, unknown>) => send<CreatedKey>('POST', keysPath, { body })

export const revokeKey = (id: number) => send('DELETE', `${keysPath}/${id}`)

export function auditUrl(after: string | undefined): string {
  return `/api/audit?${new URLSearchParams({ limit: '50', ...(after !== undefined && { after }) })}`
}
