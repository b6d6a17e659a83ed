/**
 * The cookie of a signed-in page. No script can read it (HttpOnly), and no other site's page can have it sent
 * (SameSite=Strict). Over HTTPS it is sent only there (Secure), and no other host of the domain can set it (`__Host-`,
 * draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
 */
import type { FastifyRequest } from 'fastify'
import { isSessionToken } from './secrets.ts'

export interface SessionCookie {
  /** The session's token; undefined: there is none, or it is malformed. */
  read(request: FastifyRequest): string | undefined
  /** The Set-Cookie header. */
  set(request: FastifyRequest, token: string, maxAgeSeconds: number): string
  clear(request: FastifyRequest): string
}

export function createSessionCookie(publicUrl: string | undefined): SessionCookie {
  const isSecure = (request: FastifyRequest) =>
    publicUrl === undefined ? request.protocol === 'https' : publicUrl.startsWith('https:')
  const nameFor = (request: FastifyRequest) => `${isSecure(request) ? '__Host-' : ''}hopcount_session`
  const set: SessionCookie['set'] = (request, token, maxAgeSeconds) => {
    const secure = isSecure(request) ? '; Secure' : ''
    return `${nameFor(request)}=${token}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`
  }
  return {
    read(request) {
      const name = nameFor(request)
      for (const pair of request.headers.cookie?.split(';') ?? []) {
        const [key = '', value = ''] = pair.trim().split('=')
        if (key === name && isSessionToken(value)) return value
      }
      return undefined
    },
    set,
    clear: request => set(request, '', 0),
  }
}
