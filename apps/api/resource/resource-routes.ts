/** `/api/links` and everything below it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { bulkRoutes } from './bulk-routes.ts'
import { changeLinkRoute } from './change-link-route.ts'
import { createLinkRoute } from './create-link-route.ts'
import { historyRoute } from './history-route.ts'
import type { LinkContext } from './link-context.ts'
import { linkRoutes } from './link-routes.ts'
import { exportRoute } from './list/export-route.ts'
import { listRoute } from './list/list-route.ts'
import { tagsRoute } from './list/tags-route.ts'
import { shortenRoute } from './shorten-route.ts'

export const resourceRoutes: FastifyPluginAsyncTypebox<LinkContext> = async (app, context) => {
  await app.register(shortenRoute, context)
  // A generated serializer takes longer to compile than it ever saves here.
  app.setSerializerCompiler(() => JSON.stringify)
  await app.register(createLinkRoute, context)
  await app.register(linkRoutes, context)
  await app.register(changeLinkRoute, context)
  await app.register(listRoute, context)
  await app.register(exportRoute, context)
  await app.register(bulkRoutes, context)
  await app.register(historyRoute, context)
  await app.register(tagsRoute, context)
}
