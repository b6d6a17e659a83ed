/**
 * `POST`, `PATCH` and `DELETE /api/links/bulk`: up to 1,000 links in one transaction and a few statements. A row that is
 * refused does not keep the others from being done.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { actorOf } from '../access/actor.ts'
import { fieldProblem, Problem, problemDocument, problemResponses } from '../errors/problem.ts'
import { schemaProblem } from '../errors/schema-problem.ts'
import { idempotencyHeader } from '../idempotency/create-once.ts'
import { perMinute } from '../limits/rate-limits.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { LinkRequest } from '../links/create-links.ts'
import { linkOrigin } from '../links/short-urls.ts'
import type { BulkResult, NamedPatch } from './bulk-schema.ts'
import {
  BulkDeleteSchema,
  BulkNewSchema,
  BulkPatchSchema,
  BulkResultsSchema,
  maxBodyBytes,
  NamedPatchSchema,
} from './bulk-schema.ts'
import { checkNewLink, checkPatch } from './check-fields.ts'
import type { Edit } from './edit-links.ts'
import { deleteLinks, editLinks, unknownLink } from './edit-links.ts'
import type { LinkContext } from './link-context.ts'
import { fieldOptions, linkCreated, refuseCompressed } from './link-context.ts'
import { describeLink, findRows } from './link-rows.ts'
import type { NewLinkBody } from './link-schema.ts'
import { NewLinkBodySchema } from './link-schema.ts'
import { bodyRefusals, refusals } from './route-schemas.ts'

const response = {
  200: { ...BulkResultsSchema, description: 'a result per row' },
  ...problemResponses({ ...bodyRefusals, 413: 'the body is larger than 4 MiB', ...refusals }),
}

export const bulkRoutes: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const { pool, links, changeLinks, createOnce } = context
  const readNew = createRowReader<NewLinkBody>(app, NewLinkBodySchema)
  const readPatches = createRowReader<NamedPatch>(app, NamedPatchSchema)
  const common = {
    config: { access: 'links:write' as const, ...perMinute(context.writesPerMinute, 'writes') },
    bodyLimit: maxBodyBytes,
    onRequest: refuseCompressed,
  }

  app.post(
    '/api/links/bulk',
    {
      ...common,
      validatorCompiler: exceptRows(app),
      schema: {
        operationId: 'createLinks',
        summary: 'Create many links',
        headers: { type: 'object', properties: idempotencyHeader },
        body: BulkNewSchema,
        response: {
          ...response,
          ...problemResponses({
            409: 'a request with the same Idempotency-Key is under way',
            422: 'the Idempotency-Key was used for another request',
          }),
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request)
      const origin = linkOrigin(context, request)
      const options = fieldOptions(context, request, await context.domainRules.current())
      await createOnce(request, reply, async client => {
        const database = client ?? pool
        const wanted = readNew<LinkRequest>(request, row => ({
          ...checkNewLink(row, options),
          creator: actor,
        }))
        const requests = wanted.flatMap(({ value }) => value ?? [])
        const outcomes = await links.createLinksOn(database, requests)
        const slugs = outcomes.flatMap(outcome => (outcome.kind === 'taken' ? [] : [outcome.link.slug]))
        const rows = await findRows(database, slugs)
        const results = wanted.map(({ slug, value, problem }) => {
          const outcome = value && outcomes[requests.indexOf(value)]
          const row =
            outcome === undefined || outcome.kind === 'taken' ? undefined : rows.get(outcome.link.slug)
          if (outcome === undefined || row === undefined)
            return refused(slug, problem ?? fieldProblem(409, 'slug', 'This slug is taken.'))
          const status = outcome.kind === 'created' ? 201 : 200
          return { slug: row.slug, status, link: describeLink(row, origin, actor) }
        })
        return {
          status: 200,
          headers: {},
          body: { results },
          committed() {
            for (const outcome of outcomes) if (outcome.kind === 'created') linkCreated(context, outcome.link)
          },
        }
      })
      return reply
    },
  )

  app.patch(
    '/api/links/bulk',
    {
      ...common,
      validatorCompiler: exceptRows(app),
      schema: {
        operationId: 'changeLinks',
        summary: 'Change many links',
        description: 'Each row is a merge patch (RFC 7396) of the link that its `slug` names.',
        body: BulkPatchSchema,
        response,
      },
    },
    async (request, reply) => {
      const actor = actorOf(request)
      const origin = linkOrigin(context, request)
      const options = fieldOptions(context, request, await context.domainRules.current())
      const named = new Set<string>()
      const wanted = readPatches<Edit>(request, ({ slug, ...patch }) => {
        if (!slugPattern.test(slug)) throw unknownLink()
        if (named.has(slug)) throw fieldProblem(422, 'slug', 'slug is that of an earlier row.')
        named.add(slug)
        return { slug, change: before => checkPatch(before, patch, options) }
      })
      const edits = wanted.flatMap(({ value }) => value ?? [])
      const edited = edits.length === 0 ? [] : await editLinks(changeLinks, actor, edits)
      const results = wanted.map(({ slug, value, problem }) => {
        const row = value === undefined ? problem : edited[edits.indexOf(value)]
        if (row === undefined || row instanceof Problem) return refused(slug, row ?? unknownLink())
        return { slug: row.slug, status: 200, link: describeLink(row, origin, actor) }
      })
      return reply.header('cache-control', 'no-store').send({ results })
    },
  )

  app.delete(
    '/api/links/bulk',
    {
      ...common,
      schema: {
        operationId: 'deleteLinks',
        summary: 'Delete many links',
        body: BulkDeleteSchema,
        response,
      },
    },
    async (request, reply) => {
      const { slugs } = request.body
      const deletions = slugs.filter(slug => slugPattern.test(slug)).map(slug => ({ slug }))
      const problems =
        deletions.length === 0 ? [] : await deleteLinks(changeLinks, actorOf(request), deletions)
      const bySlug = new Map(deletions.map(({ slug }, i) => [slug, problems[i]]))
      const results = slugs.map(slug => {
        const problem = bySlug.has(slug) ? bySlug.get(slug) : unknownLink()
        return problem === undefined ? { slug, status: 204 } : refused(slug, problem)
      })
      return reply.header('cache-control', 'no-store').send({ results })
    },
  )
}

interface ReadRow<Value> {
  /** As the row has it. */
  slug: string | null
  /** Undefined: there is a problem. */
  value?: Value
  problem?: Problem
}

/** Reads rows, which the route's own schema leaves open: each of them has a result of its own. */
function createRowReader<Row>(app: FastifyInstance, schema: TSchema) {
  const validate = compileBody(app, schema)
  return <Value>(request: FastifyRequest, read: (row: Row) => Value): ReadRow<Value>[] => {
    const { links } = request.body as { links: unknown[] }
    return links.map(row => {
      const slug = slugOf(row)
      try {
        if (validate(row) === false) throw schemaProblem(validate.errors ?? [], 'row')
        return { slug, value: read(row as Row) }
      } catch (error) {
        if (error instanceof Problem) return { slug, problem: error }
        throw error
      }
    })
  }
}

/** For the `validatorCompiler` of a route whose rows are validated one by one. */
function exceptRows(app: FastifyInstance) {
  const { links } = BulkNewSchema.properties
  const validate = compileBody(app, {
    ...BulkNewSchema,
    properties: { links: { ...links, items: {} } },
  } as TSchema)
  return ((route: { httpPart?: string }) =>
    route.httpPart === 'body'
      ? validate
      : app.validatorCompiler?.(route as never)) as FastifySchemaCompiler<unknown>
}

function compileBody(app: FastifyInstance, schema: TSchema): ValidateFunction {
  if (app.validatorCompiler === undefined) throw new Error('bodies are not validated yet')
  return app.validatorCompiler({ schema, method: '', url: '', httpPart: 'body' }) as ValidateFunction
}

interface ValidateFunction {
  (value: unknown): unknown
  errors?: Parameters<typeof schemaProblem>[0] | null
}

function slugOf(row: unknown): string | null {
  if (typeof row !== 'object' || row === null || !('slug' in row)) return null
  return typeof row.slug === 'string' ? row.slug : null
}

function refused(slug: string | null, problem: Problem): BulkResult {
  return {
    slug,
    status: problem.status,
    problem: problemDocument(problem.status, problem.message, problem.errors),
  }
}
