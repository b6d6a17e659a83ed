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

export interface ActiveKey {
  id: number
  name: string
  scopes: ReadonlySet<Scope>
  /** Undefined: the limits that the settings say; 0: none. */
  requestsPerMinute: number | undefined
  expiresAt: Date | undefined
}

export interface ActiveSession {
  hash: Buffer
  key: ActiveKey
  createdAt: Date
  expiresAt: Date
}

export interface Identity {
  actor: Actor
  /** Undefined: without a key. */
  key: ActiveKey | undefined
  /** Only where the page's session was used. */
  session: ActiveSession | undefined
}

/** With open access, whoever reaches the port may do everything. */
export const anybody: Identity = withoutKey(new Set(scopes))
/** Without a key where keys are needed. */
export const nobody: Identity = withoutKey(new Set())

function withoutKey(scopes: ReadonlySet<Scope>): Identity {
  return { actor: { keyId: undefined, via: 'api', scopes }, key: undefined, session: undefined }
}

/** Redirects have none, and pay nothing for it. A WeakMap would cost each request 0.6 µs, and the garbage collector more. */
const identityKey = Symbol('identity')

declare module 'fastify' {
  interface FastifyRequest {
    [identityKey]?: Identity
  }
}

export function setIdentity(request: FastifyRequest, identity: Identity): void {
  request[identityKey] = identity
}

export function identityOf(request: FastifyRequest): Identity {
  return request[identityKey] ?? nobody
}

/** In the handlers of redirects and health routes everybody is a stranger. */
export function actorOf(request: FastifyRequest): Actor {
  return identityOf(request).actor
}

/** `admin` allows everything; `links:write` includes `links:read`. */
export function allows(actor: Pick<Actor, 'scopes'>, scope: Scope): boolean {
  return (
    actor.scopes.has(scope) ||
    actor.scopes.has('admin') ||
    (scope === 'links:read' && actor.scopes.has('links:write'))
  )
}
