/** Who makes a request, and what they may do. */
import type { FastifyRequest } from 'fastify'

export const scopes = ['links:read', 'links:write', 'stats:read', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** What a route needs: nothing, or one of the scopes. */
export type Access = 'open' | Scope

export interface Actor {
  /** The key's id; undefined: without a key (open access, or a command on the server). */
  keyId: number | undefined
  via: 'api' | 'page' | 'command'
  scopes: ReadonlySet<Scope>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
}

/** With open access, whoever reaches the port may do everything. */
const anybody: Actor = { keyId: undefined, via: 'api', scopes: new Set(scopes) }

export function actorOf(_request: FastifyRequest): Actor {
  return anybody
}

/** `admin` allows everything; `links:write` includes `links:read`. */
export function allows(actor: Pick<Actor, 'scopes'>, scope: Scope): boolean {
  return (
    actor.scopes.has(scope) ||
    actor.scopes.has('admin') ||
    (scope === 'links:read' && actor.scopes.has('links:write'))
  )
}
