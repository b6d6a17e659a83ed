import type { Session } from '../../../api/keys/key-schema.ts'
import { send } from './send.ts'

export type { Session }
export type Scope = Session['scopes'][number]

const path = '/api/session'

export const readSession = () => send<Session>('GET', path)

/** The response sets a cookie that scripts can't read. Nothing keeps the key. */
export const signIn = (key: string) => send<Session>('POST', path, { body: { key } })

export const signOut = () => send('DELETE', path)
