/**
 * Each route says in `config.access` what it needs: a scope, or nothing ('open'). A route without a rule fails the start.
 *
 * | route | check |
 * |---|---|
 * | `/:slug…` (links), `/healthz`, `/readyz` | none: no hook is added, so a redirect costs what it did |
 * | others, ACCESS=open | the host (rebound-hosts.ts); then everybody may do everything |
 * | others, ACCESS=keys | 'open': none; a scope: a valid key with it, else 401 or 403 |
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import { Problem, problemResponses } from '../errors/problem.ts'
import type { OwnHosts } from '../hosts/own-hosts.ts'
import type { HostCheck } from '../hosts/rebound-hosts.ts'
import type { Access, Identity, Scope } from './actor.ts'
import { allows, anybody, nobody, setIdentity } from './actor.ts'
import type { Credential } from './authenticate.ts'
import { credentialOf, identify, refuseForgery } from './authenticate.ts'
import type { CredentialStore, Credentials } from './credentials.ts'
import { endWithKeys } from './open-responses.ts'
import type { SessionCookie } from './session-cookie.ts'

export interface RouteRulesOptions {
  access: 'open' | 'keys'
  publicShorten: boolean
  hostCheck: HostCheck
  ownHosts: OwnHosts
  store: CredentialStore
  cookie: SessionCookie
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The rule of routes that a plugin of somebody else adds, and that say nothing themselves. */
    access?: Access
  }
  interface FastifyContextConfig {
    /** Served under any host name. */
    anyHost?: boolean
  }
}

type Done = (error?: Error) => void
type Check = (request: FastifyRequest, reply: FastifyReply, done: Done) => void

/** Call before routes are added. */
export function guardRoutes(app: FastifyInstance, options: RouteRulesOptions): void {
  const responses = options.access === 'keys' ? endWithKeys(app, options) : undefined

  const rules: Record<string, Access> = {}
  app.addHook('onReady', async () => app.log.debug({ rules }, 'routes, and what they need'))

  app.addHook('onRoute', function (this: FastifyInstance, route) {
    const access = route.config?.access ?? this.access
    const where = `${[route.method].flat().join(', ')} ${route.url}`
    if (access === undefined) throw new Error(`${where} has no rule: say in config.access who may use it`)
    for (const method of [route.method].flat()) rules[`${method} ${route.url}`] = access
    if (access !== 'open') describe(route, access, options)
    if (access === 'open' && (route.url.startsWith('/:') || route.config?.anyHost)) return
    if (route.schema !== undefined) describeHost(route, route.schema)
    const isOptional = access === 'open' || (options.publicShorten && route.url === '/shorten')
    const check = options.access === 'open' ? letIn : access === 'open' && !isApi(route) ? pass : admit
    route.onRequest = [forRoute(check), ...[route.onRequest ?? []].flat()]

    function forRoute(check: (rule: Rule) => Check): Check {
      return check({ scope: access === 'open' ? undefined : access, isOptional, isApi: isApi(route) })
    }
  })

  /** ACCESS=open */
  function letIn({ isApi }: Rule): Check {
    return (request, reply, done) => {
      setIdentity(request, anybody)
      if (isApi) reply.header('cache-control', 'no-store')
      done(options.hostCheck(request))
    }
  }

  /** ACCESS=keys; a file of the page must load even if keys can't be read. */
  function pass(): Check {
    return (_request, _reply, done) => done()
  }

  /** ACCESS=keys */
  function admit(rule: Rule): Check {
    return (request, reply, done) => {
      if (rule.isApi) reply.header('cache-control', 'no-store')
      const credential = attempt(() => credentialOf(request, options.cookie), done)
      if (credential === undefined) return
      const decide = (credentials: Credentials | undefined) => {
        const identity = attempt(() => identityFor(request, credential, credentials, rule), done)
        if (identity === undefined) return
        setIdentity(request, identity)
        if (identity.key !== undefined) responses?.watch(reply, credential, rule.scope)
        done()
      }
      const needsNone = credential.kind === 'none' || credential.kind === 'invalid'
      const trusted = needsNone ? undefined : options.store.trusted()
      if (needsNone || (trusted !== undefined && identify(credential, trusted) !== undefined)) decide(trusted)
      else options.store.settled().then(decide, done)
    }
  }

  /** Throws a Problem if the request must be refused. */
  function identityFor(
    request: FastifyRequest,
    credential: Credential,
    credentials: Credentials | undefined,
    { scope, isOptional }: Rule,
  ): Identity {
    const found = identify(credential, credentials)
    // A page whose session has ended is signed out; a program that sends a wrong key is told so.
    const isSignedOut = found === undefined && credential.kind === 'session'
    const identity = found ?? (isOptional && (isSignedOut || scope === undefined) ? nobody : undefined)
    if (identity === undefined || (identity.key === undefined && !isOptional)) throw unauthorized()
    refuseForgery(request, identity, options.ownHosts)
    if (scope !== undefined && !isOptional && !allows(identity.actor, scope)) throw forbidden(scope)
    return identity
  }
}

interface Rule {
  /** Undefined: open. */
  scope: Scope | undefined
  /** Served without a key, too. */
  isOptional: boolean
  isApi: boolean
}

const isApi = (route: RouteOptions) => route.url.startsWith('/api/')

/** Undefined: it threw, and `done` was told. */
function attempt<Result>(work: () => Result, done: Done): Result | undefined {
  try {
    return work()
  } catch (error) {
    done(error as Error)
    return undefined
  }
}

/** The same for every key that is not valid: nobody learns whether it is unknown, expired or revoked. */
function unauthorized(): Problem {
  return new Problem(401, 'A valid key is needed, in Authorization (Bearer) or X-Api-Key.', {
    headers: { 'www-authenticate': 'Bearer' },
  })
}

/** RFC 6750, section 3.1 */
function forbidden(scope: Scope): Problem {
  return new Problem(403, `The key lacks the scope ${scope}.`, {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  })
}

/** Adds to the OpenAPI document what the rule means for clients. An empty requirement: also without a key. */
function describe(route: RouteOptions, scope: Scope, { access, publicShorten }: RouteRulesOptions): void {
  const isOptional = access === 'open' || (publicShorten && route.url === '/shorten')
  const { 401: noKey, 403: noScope } = problemResponses({
    401: 'there is no valid key',
    403: `the key lacks the scope ${scope}, or a session is used by another page`,
  })
  const schema: FastifySchema = route.schema ?? {}
  Object.assign(route, {
    schema: {
      ...schema,
      security: [...(isOptional ? [{}] : []), { bearer: [scope] }, { key: [scope] }, { session: [scope] }],
      response: { ...Object(schema.response), 401: noKey, 403: noScope },
    },
  })
}

function describeHost(route: RouteOptions, schema: FastifySchema): void {
  const { 421: otherHost } = problemResponses({
    421: 'a request from the machine itself under a host name that is not one of the service (DNS rebinding)',
  })
  Object.assign(route, { schema: { ...schema, response: { ...Object(schema.response), 421: otherHost } } })
}

/** For the OpenAPI document. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'a key: `Authorization: Bearer hop_…`' },
  key: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'the same key in another header' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'hopcount_session',
    description: 'of the page, from `POST /api/session`; `__Host-hopcount_session` over HTTPS',
  },
} as const
