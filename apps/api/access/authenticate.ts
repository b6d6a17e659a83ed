/** Finds out who makes a request, by its key (Authorization, X-Api-Key) or by the page's session. */
import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors/problem.ts'
import type { OwnHosts } from '../hosts/own-hosts.ts'
import type { Identity } from './actor.ts'
import { nobody } from './actor.ts'
import type { Credentials } from './credentials.ts'
import { isSameOrigin } from './same-origin.ts'
import { isKey } from './secrets.ts'
import type { SessionCookie } from './session-cookie.ts'

/**
 * What a request says about itself. `none`: it has no credential; `invalid`: a key was sent that can't be one. The
 * look-up in `credentials` is separate, so that it can be repeated while a long response is sent.
 */
export type Credential =
  | { kind: 'none' }
  | { kind: 'invalid' }
  | { kind: 'key'; secret: string }
  | { kind: 'session'; token: string }

/** Throws a Problem (400) for two different keys. A key is preferred over a session: the sender chose it. */
export function credentialOf(request: FastifyRequest, cookie: SessionCookie): Credential {
  const { authorization, 'x-api-key': apiKey } = request.headers
  if (authorization === undefined && apiKey === undefined) {
    const token = cookie.read(request)
    return token === undefined ? { kind: 'none' } : { kind: 'session', token }
  }
  const bearer = authorization === undefined ? undefined : (bearerPattern.exec(authorization)?.[1] ?? '')
  if (bearer !== undefined && apiKey !== undefined && bearer !== apiKey)
    throw new Problem(400, 'Authorization and X-Api-Key have different keys.')
  const secret = bearer ?? apiKey
  return typeof secret === 'string' && isKey(secret) ? { kind: 'key', secret } : { kind: 'invalid' }
}

/** RFC 6750, section 2.1; the name of the scheme without regard to case (RFC 9110, section 11.1). */
const bearerPattern = /^bearer +(\S+)$/i

/** Undefined: the credential is not valid. `credentials` are needed where a key or a token was sent. */
export function identify(credential: Credential, credentials: Credentials | undefined): Identity | undefined {
  if (credential.kind === 'none') return nobody
  if (credential.kind === 'invalid' || credentials === undefined) return undefined
  const session = credential.kind === 'session' ? credentials.session(credential.token) : undefined
  const key = credential.kind === 'key' ? credentials.key(credential.secret) : session?.key
  if (key === undefined) return undefined
  const via = session === undefined ? 'api' : 'page'
  return { actor: { keyId: key.id, via, scopes: key.scopes }, key, session }
}

/** Throws a Problem (403) if a session is used for a change by anything but the page. */
export function refuseForgery(request: FastifyRequest, identity: Identity, ownHosts: OwnHosts): void {
  const isChange = request.method !== 'GET' && request.method !== 'HEAD'
  if (identity.session !== undefined && isChange && isSameOrigin(request, ownHosts) !== true)
    throw new Problem(403, 'A session can only be used for changes by the page of this service itself.')
}
