/** What every route of the resource needs. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import { Problem } from '../errors/problem.ts'
import type { FreshnessReader } from '../freshness/read-freshness.ts'
import type { CreateOnce } from '../idempotency/create-once.ts'
import type { LimitPerClient } from '../limits/limit-per-client.ts'
import type { ChangeLinks } from '../links/change-links.ts'
import type { DomainCheck } from '../links/check-long-url.ts'
import type { LinkCreator } from '../links/create-links.ts'
import type { StoredLink } from '../links/link-queries.ts'
import type { PublicAddress } from '../links/short-urls.ts'
import { ownHostCheck } from '../links/short-urls.ts'
import type { DomainRules } from '../targets/domain-rules.ts'
import type { TitleFetcher } from '../targets/titles/title-fetcher.ts'
import type { FieldOptions } from './check-fields.ts'

export interface LinkContext extends PublicAddress {
  pool: Pool
  /** Of what `pool` says about visits. */
  freshness: FreshnessReader
  links: LinkCreator
  changeLinks: ChangeLinks
  createOnce: CreateOnce
  /** Called before the response is sent: the slug exists from now on. */
  slugCreated: (slug: string) => void
  reserved: ReadonlySet<string>
  allowPrivateTargets: boolean
  domainRules: DomainRules
  /** Undefined: titles of targets are not fetched. */
  titles: TitleFetcher | undefined
  /** Requests that one public address may make per minute; 0: no limit. */
  writesPerMinute: number
  readsPerMinute: number
  limitExports: LimitPerClient
}

/** Call it for each link once its creation is committed, before the response is sent. */
export function linkCreated({ slugCreated, titles }: LinkContext, { slug, fields }: StoredLink): void {
  slugCreated(slug)
  if (fields.title === null) titles?.add({ slug, longUrl: fields.longUrl })
}

/** What the fields of a request's links are checked against. */
export function fieldOptions(
  context: LinkContext,
  request: FastifyRequest,
  domains: DomainCheck,
): FieldOptions {
  return {
    reserved: context.reserved,
    isOwnHost: ownHostCheck(context, request),
    allowPrivateTargets: context.allowPrivateTargets,
    domains,
  }
}

/** No body here needs compression, and a compressed one could expand to any size. */
export function refuseCompressed(
  request: FastifyRequest,
  _reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  const isCompressed = request.headers['content-encoding'] !== undefined
  done(isCompressed ? new Problem(415, 'The body must not be compressed.') : undefined)
}
