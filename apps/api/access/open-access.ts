import type { Configuration } from '@hopcount/shared/configuration/configuration.ts'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import type { OwnHosts } from '../hosts/own-hosts.ts'
import type { HostCheck } from '../hosts/rebound-hosts.ts'
import type { CredentialStore, KeyNotices } from './credentials.ts'
import { createCredentialStore } from './credentials.ts'
import { guardRoutes } from './route-rules.ts'
import type { SessionCookie } from './session-cookie.ts'
import { createSessionCookie } from './session-cookie.ts'

export interface AccessParts {
  access: 'open' | 'keys'
  publicShorten: boolean
  store: CredentialStore
  cookie: SessionCookie
  ownHosts: OwnHosts
}

/** Guards all routes that are added from now on. */
export function openAccess(
  app: FastifyInstance,
  options: {
    configuration: Pick<Configuration, 'ACCESS' | 'PUBLIC_SHORTEN' | 'PUBLIC_URL'>
    pool: Pool
    changes: KeyNotices
    ownHosts: OwnHosts
    hostCheck: HostCheck
  },
): AccessParts {
  const { configuration, pool, changes, ownHosts, hostCheck } = options
  const parts = {
    access: configuration.ACCESS,
    publicShorten: configuration.PUBLIC_SHORTEN,
    store: createCredentialStore({ pool, changes }),
    cookie: createSessionCookie(configuration.PUBLIC_URL),
    ownHosts,
  }
  guardRoutes(app, { ...parts, hostCheck })
  return parts
}
