import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { fieldProblem, Problem, problemResponses } from '../errors/problem.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { checkExpiry } from './check-expiry.ts'
import { checkLongUrl } from './check-long-url.ts'
import { checkSlug } from './check-slug.ts'
import type { CreateLink } from './create-links.ts'
import type { StoredLink } from './link-queries.ts'
import { originOf, requestOrigin } from './request-origin.ts'

const ShortenBodySchema = Type.Object(
  {
    long_url: Type.String({ description: 'where the link leads: http or https, at most 2,048 bytes' }),
    slug: Type.Optional(
      Type.String({ description: '1–64 of A–Z a–z 0–9 _ -; without it, 7 characters are drawn' }),
    ),
    reuse: Type.Optional(
      Type.Boolean({
        description:
          'answer with a link that leads to this URL already, if there is one; not with slug or expires_at',
      }),
    ),
    expires_at: Type.Optional(
      Type.String({ description: 'RFC 3339 time with zone; from then on the link answers 410' }),
    ),
  },
  { additionalProperties: false },
)

const LinkSchema = Type.Object({
  slug: Type.String(),
  short_url: Type.String({ format: 'uri' }),
  long_url: Type.String({ format: 'uri' }),
  created_at: Type.String({ format: 'date-time' }),
  expires_at: Type.Optional(Type.String({ format: 'date-time' })),
})

const locationHeader = { location: { type: 'string', format: 'uri', description: 'the short URL' } }

export interface ShortenRouteOptions {
  createLink: CreateLink
  /** Called before the answer: the slug exists from now on. */
  slugCreated: (slug: string) => void
  reserved: ReadonlySet<string>
  publicUrl: string | undefined
  allowPrivateTargets: boolean
  /** Links that one public address may make per minute; 0: no limit. */
  perMinute: number
}

/** `POST /shorten`: makes a link. */
export const shortenRoute: FastifyPluginAsyncTypebox<ShortenRouteOptions> = async (app, options) => {
  const { createLink, reserved, publicUrl, allowPrivateTargets } = options
  const publicOrigin = publicUrl === undefined ? undefined : originOf(publicUrl)

  app.post(
    '/shorten',
    {
      config: perMinute(options.perMinute, 'writes'),
      // Nothing here needs a compressed body, and one could unpack to any size.
      onRequest: (request, _reply, done) => {
        const compressed = request.headers['content-encoding'] !== undefined
        done(compressed ? new Problem(415, 'The body must not be compressed.') : undefined)
      },
      schema: {
        operationId: 'shorten',
        summary: 'Shorten a URL',
        description:
          'Every request makes a new link, because each link has its own statistics; `reuse` asks for an old one.',
        body: ShortenBodySchema,
        response: {
          200: { ...LinkSchema, description: 'a link that existed (reuse)', headers: locationHeader },
          201: { ...LinkSchema, description: 'a new link', headers: locationHeader },
          ...problemResponses({
            409: 'the slug is taken',
            413: 'the body is larger than 8 KiB',
            415: 'the body is not application/json, or compressed',
            422: 'well-formed, but not allowed: see `errors`',
            429: 'too many requests from this address',
            503: 'the database is not reachable',
          }),
        },
      },
    },
    async (request, reply) => {
      const { body } = request
      const { origin, host } = publicOrigin ?? requestOrigin(request)
      // The address that this request reached, too: a link to it would run in a circle.
      const target = checkLongUrl(body.long_url, {
        ownHosts: [host, request.host],
        allowPrivateTargets,
      })
      if ('problem' in target) throw fieldProblem(422, 'long_url', target.problem)
      const slugProblem = body.slug === undefined ? undefined : checkSlug(body.slug, reserved)
      if (slugProblem !== undefined) throw fieldProblem(422, 'slug', slugProblem)
      const expiry = body.expires_at === undefined ? undefined : checkExpiry(body.expires_at, new Date())
      if (expiry !== undefined && 'problem' in expiry) throw fieldProblem(422, 'expires_at', expiry.problem)
      const reuse = body.reuse ?? false
      if (reuse && (body.slug !== undefined || expiry !== undefined)) {
        throw fieldProblem(
          422,
          'reuse',
          'A link can be reused only where neither slug nor expires_at is asked for.',
        )
      }

      const outcome = await createLink({
        longUrl: target.href,
        slug: body.slug,
        reuse,
        expiresAt: expiry?.expiresAt,
      })
      if (outcome.kind === 'taken') throw fieldProblem(409, 'slug', 'This slug is taken.')
      if (outcome.kind === 'created') options.slugCreated(outcome.link.slug)
      const answer = linkAnswer(outcome.link, origin)
      return reply
        .code(outcome.kind === 'created' ? 201 : 200)
        .headers({ location: answer.short_url, 'cache-control': 'no-store' })
        .send(answer)
    },
  )
}

function linkAnswer(link: StoredLink, origin: string) {
  return {
    slug: link.slug,
    short_url: `${origin}/${link.slug}`,
    long_url: link.longUrl,
    created_at: link.createdAt,
    ...(link.expiresAt && { expires_at: link.expiresAt.toISOString() }),
  }
}
