import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ClientBase } from 'pg'
import { actorOf } from '../access/actor.ts'
import { fieldProblem, problemResponses } from '../errors/problem.ts'
import { idempotencyHeader } from '../idempotency/create-once.ts'
import { perMinute } from '../limits/rate-limits.ts'
import type { LinkRequest } from '../links/create-links.ts'
import { describeFields, isPlain, plainLink } from '../links/link-fields.ts'
import type { StoredLink } from '../links/link-queries.ts'
import { linkOrigin } from '../links/short-urls.ts'
import { checkNewLink } from './check-fields.ts'
import type { LinkContext } from './link-context.ts'
import { fieldOptions, linkCreated, refuseCompressed } from './link-context.ts'
import type { ShortenedLink } from './link-schema.ts'
import { NewLinkBodySchema, ShortenedLinkSchema } from './link-schema.ts'

const locationHeader = { location: { type: 'string', format: 'uri', description: 'the short URL' } }

const schema = {
  operationId: 'shorten',
  summary: 'Shorten a URL',
  description:
    'Every request creates a new link, because each link has its own statistics; `reuse` returns an existing one.',
  headers: { type: 'object', properties: idempotencyHeader },
  body: NewLinkBodySchema,
  response: {
    200: { ...ShortenedLinkSchema, description: 'an existing link (reuse)', headers: locationHeader },
    201: { ...ShortenedLinkSchema, description: 'a new link', headers: locationHeader },
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

/** `POST /shorten`: creates a link. */
export const shortenRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { links, createOnce } = context
  const config = { access: 'links:write' as const, ...perMinute(context.writesPerMinute, 'writes') }

  app.post('/shorten', { config, schema, onRequest: refuseCompressed }, async (request, reply) => {
    const origin = linkOrigin(context, request)
    const options = fieldOptions(context, request, await context.domainRules.current())
    const { keyId, via } = actorOf(request)
    await createOnce(request, reply, async client => {
      const wanted = checkNewLink(request.body, options)
      const creator = { keyId, via: keyId === undefined ? undefined : via }
      const outcome = await createLink({ ...wanted, creator }, client)
      if (outcome === undefined || outcome.kind === 'taken')
        throw fieldProblem(409, 'slug', 'This slug is taken.')
      const link = describeLink(outcome.link, origin)
      return {
        status: outcome.kind === 'created' ? 201 : 200,
        headers: { location: link.short_url },
        body: link,
        committed: () => outcome.kind === 'created' && linkCreated(context, outcome.link),
      }
    })
  })

  async function createLink(wanted: LinkRequest, client: ClientBase | undefined) {
    if (client === undefined) return links.createLink(wanted)
    const [outcome] = await links.createLinksOn(client, [wanted])
    return outcome
  }
}

function describeLink({ slug, createdAt, fields }: StoredLink, origin: string): ShortenedLink {
  const short_url = `${origin}/${slug}`
  if (isPlain(fields)) return { slug, short_url, long_url: fields.longUrl, created_at: createdAt }
  const { long_url, ...others } = describeFields(fields)
  const { long_url: _, ...plain } = describeFields(plainLink(''))
  const set = Object.entries(others).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(plain[field as keyof typeof plain]),
  )
  return { slug, short_url, long_url, created_at: createdAt, ...Object.fromEntries(set) }
}
