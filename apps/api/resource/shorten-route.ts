import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ClientBase } from 'pg'
import { fieldProblem, Problem, problemResponses } from '../errors/problem.ts'
import type { CreateOnce } from '../idempotency/create-once.ts'
import { idempotencyHeader } from '../idempotency/create-once.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { checkExpiry } from '../links/check-expiry.ts'
import type { LongUrlOptions } from '../links/check-long-url.ts'
import { checkLongUrl } from '../links/check-long-url.ts'
import { checkSlug } from '../links/check-slug.ts'
import type { LinkCreator, LinkRequest } from '../links/create-links.ts'
import type { StoredLink } from '../links/link-queries.ts'
import { originOf, requestOrigin } from '../links/request-origin.ts'
import type { OwnHosts } from '../own-hosts.ts'
import type { DomainRules } from '../targets/domain-rules.ts'
import type { NewLink, ShortenBody } from './link-schema.ts'
import { NewLinkSchema, ShortenBodySchema } from './link-schema.ts'

const locationHeader = { location: { type: 'string', format: 'uri', description: 'the short URL' } }

const schema = {
  operationId: 'shorten',
  summary: 'Shorten a URL',
  description:
    'Every request creates a new link, because each link has its own statistics; `reuse` returns an existing one.',
  headers: { type: 'object', properties: idempotencyHeader },
  body: ShortenBodySchema,
  response: {
    200: { ...NewLinkSchema, description: 'an existing link (reuse)', headers: locationHeader },
    201: { ...NewLinkSchema, description: 'a new link', headers: locationHeader },
    ...problemResponses({
      409: 'the slug is taken, or a request with the same Idempotency-Key is under way',
      413: 'the body is larger than 8 KiB',
      415: 'the body is compressed, or not application/json',
      422: 'well-formed, but not allowed: see `errors`; or the Idempotency-Key was used for another request',
      429: 'too many requests from this address',
      503: 'the database is unavailable',
    }),
  },
}

export interface ShortenRouteOptions {
  links: LinkCreator
  createOnce: CreateOnce
  /** Called before the response is sent: the slug exists from now on. */
  slugCreated: (slug: string) => void
  reserved: ReadonlySet<string>
  publicUrl: string | undefined
  ownHosts: OwnHosts
  allowPrivateTargets: boolean
  domainRules: DomainRules
  /** Links that one public address may create per minute; 0: no limit. */
  perMinute: number
}

/** `POST /shorten`: creates a link. */
export const shortenRoute: FastifyPluginAsyncTypebox<ShortenRouteOptions> = async (app, options) => {
  const { links, createOnce, reserved, publicUrl, allowPrivateTargets } = options
  const publicOrigin = publicUrl === undefined ? undefined : originOf(publicUrl)
  const config = perMinute(options.perMinute, 'writes')

  app.post('/shorten', { config, schema, onRequest: refuseCompressed }, async (request, reply) => {
    const { origin, host } = publicOrigin ?? requestOrigin(request)
    const domains = await options.domainRules.current()
    await createOnce(request, reply, async client => {
      const wanted = checkBody(request.body, {
        reserved,
        // Also the host that this request was sent to: a link to it would be a loop.
        ownHosts: [host, request.host, ...options.ownHosts],
        allowPrivateTargets,
        domains,
      })
      const outcome = await createLink(wanted, client)
      if (outcome === undefined || outcome.kind === 'taken')
        throw fieldProblem(409, 'slug', 'This slug is taken.')
      const link = describeLink(outcome.link, origin)
      return {
        status: outcome.kind === 'created' ? 201 : 200,
        headers: { location: link.short_url },
        body: link,
        committed: () => outcome.kind === 'created' && options.slugCreated(link.slug),
      }
    })
    return reply
  })

  async function createLink(wanted: LinkRequest, client: ClientBase | undefined) {
    if (client === undefined) return links.createLink(wanted)
    const [outcome] = await links.createLinksOn(client, [wanted])
    return outcome
  }
}

/** No body here needs compression, and a compressed one could expand to any size. */
function refuseCompressed(
  request: FastifyRequest,
  _reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  const isCompressed = request.headers['content-encoding'] !== undefined
  done(isCompressed ? new Problem(415, 'The body must not be compressed.') : undefined)
}

/** Throws a Problem (422) that names the field. */
function checkBody(
  body: ShortenBody,
  options: LongUrlOptions & { reserved: ReadonlySet<string> },
): LinkRequest {
  const { slug, reuse = false } = body
  const target = checkLongUrl(body.long_url, options)
  if ('problem' in target) throw fieldProblem(422, 'long_url', target.problem)
  const slugProblem = slug === undefined ? undefined : checkSlug(slug, options.reserved)
  if (slugProblem !== undefined) throw fieldProblem(422, 'slug', slugProblem)
  const expiry = body.expires_at === undefined ? undefined : checkExpiry(body.expires_at, new Date())
  if (expiry !== undefined && 'problem' in expiry) throw fieldProblem(422, 'expires_at', expiry.problem)
  if (reuse && (slug !== undefined || expiry !== undefined))
    throw fieldProblem(422, 'reuse', 'reuse can not be combined with slug or expires_at.')
  return { longUrl: target.href, slug, reuse, expiresAt: expiry?.expiresAt }
}

function describeLink(link: StoredLink, origin: string): NewLink {
  return {
    slug: link.slug,
    short_url: `${origin}/${link.slug}`,
    long_url: link.longUrl,
    created_at: link.createdAt,
    ...(link.expiresAt && { expires_at: link.expiresAt.toISOString() }),
  }
}
