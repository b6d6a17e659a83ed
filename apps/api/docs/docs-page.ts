/**
 * `GET /docs`: the API reference as a page. It is made from the OpenAPI document on the first visit, and sent compressed
 * where the client takes that.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import helmet from '@fastify/helmet'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { pagePolicy } from '../page-policy.ts'
import type { OpenApi } from './reference-html.ts'
import { referenceHtml } from './reference-html.ts'

interface File {
  type: string
  plain: string
  gzipped: Buffer
}

export async function docsPage(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: pagePolicy },
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
  let page: Promise<File> | undefined
  let style: Promise<File> | undefined
  const hidden = { config: { access: 'open' }, schema: { hide: true } } as const
  app.get('/docs', hidden, async (request, reply) => {
    page ??= fileOf('text/html; charset=utf-8', referenceHtml(app.swagger() as OpenApi))
    return send(request, reply, await page)
  })
  app.get('/docs/reference.css', hidden, async (request, reply) => {
    style ??= fileOf(
      'text/css; charset=utf-8',
      readFileSync(join(import.meta.dirname, 'reference.css'), 'utf8'),
    )
    return send(request, reply, await style)
  })
}

async function fileOf(type: string, plain: string): Promise<File> {
  return { type, plain, gzipped: await promisify(gzip)(plain, { level: 9 }) }
}

function send(request: FastifyRequest, reply: FastifyReply, { type, plain, gzipped }: File): FastifyReply {
  reply.type(type).headers({ 'cache-control': 'no-cache', vary: 'accept-encoding' })
  return /\bgzip\b(?!;q=0(?:\.0*)?(?:,|$))/.test(request.headers['accept-encoding'] ?? '')
    ? reply.header('content-encoding', 'gzip').send(gzipped)
    : reply.send(plain)
}
