/** `GET /api/tags`: the tags in use. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { Type } from 'typebox'
import { problemResponses } from '../../errors/problem.ts'
import { perMinute } from '../../limits/rate-limits.ts'
import type { LinkContext } from '../link-context.ts'
import { refusals } from '../route-schemas.ts'

const TagsSchema = Type.Array(
  Type.Object({
    tag: Type.String({ description: 'as most of its links spell it' }),
    links: Type.Integer({ description: 'the links that have it and are not deleted' }),
  }),
)

export const tagsRoute: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  const readTags = createTagReader(context.pool)

  app.get(
    '/api/tags',
    {
      config: { access: 'links:read', ...perMinute(context.readsPerMinute, 'stats') },
      schema: {
        operationId: 'listTags',
        summary: 'The tags in use',
        response: {
          200: { ...TagsSchema, description: 'those with the most links first' },
          ...problemResponses(refusals),
        },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send(await readTags()),
  )
}

interface TagRow {
  tag: string
  links: number
}

/** Tags are counted, which takes longer the more links have some. So a list is good for ten times as long as that took. */
function createTagReader(pool: Pool): () => Promise<TagRow[]> {
  const lists = new LRUCache<'tags', TagRow[]>({
    max: 1,
    async fetchMethod(_key, _stale, { options }) {
      const startedAt = performance.now()
      const { rows } = await pool.query<TagRow>({
        name: 'list-tags',
        text: `SELECT mode() WITHIN GROUP (ORDER BY tag) AS tag, count(*) AS links
               FROM links, unnest(tags, tag_keys) AS each (tag, key)
               WHERE tag_keys <> '{}' AND deleted_at IS NULL
               GROUP BY key ORDER BY links DESC, key LIMIT 10000`,
      })
      options.ttl = Math.ceil(10 * (performance.now() - startedAt))
      return rows
    },
  })
  return () => lists.forceFetch('tags')
}
