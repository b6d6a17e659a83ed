import type { Outcome } from './send.ts'
import { send } from './send.ts'

export type Scope = 'links:read' | 'links:write' | 'stats:read' | 'admin'

export interface Session {
  access: 'open' | 'keys'
  /** Whether anybody may create links. */
  public_shorten: boolean
  signed_in: boolean
  /** The key's. */
  name: string | null
  scopes: Scope[]
  expires_at: string | null
}

const path = '/api/session'

export const readSession = () => send<Session>('GET', path)

/** The response sets a cookie that scripts can't read. Nothing keeps the key. */
export const signIn = (key: string): Promise<Outcome<Session>> =>
  send<Session>('POST', path, { body: { key } })

export const signOut = () => send('DELETE', path)
