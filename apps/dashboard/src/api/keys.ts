import type { Change } from './links.ts'
import { send } from './send.ts'
import type { Scope } from './session.ts'

export interface Key {
  id: number
  name: string
  /** Its first characters. */
  hint: string
  scopes: Scope[]
  requests_per_minute: number | null
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  state: 'active' | 'expired' | 'revoked'
}

export type AuditEntry = Change & { subject: string }

export const keysPath = '/api/keys'

export const createKey = (body: Record<string, unknown>) =>
  send<Key & { key: string }>('POST', keysPath, { body })

export const revokeKey = (id: number) => send('DELETE', `${keysPath}/${id}`)

export function auditUrl(after: string | undefined): string {
  return `/api/audit?${new URLSearchParams({ limit: '50', ...(after !== undefined && { after }) })}`
}
