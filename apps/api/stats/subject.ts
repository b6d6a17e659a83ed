/** The subject of a report: one link, or all links together, whose sums are stored under link id 0. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { Problem } from '../errors/problem.ts'
import { slugPattern } from '../links/check-slug.ts'

export interface Subject {
  linkId: number
  /** Undefined: all links. */
  slug: string | undefined
}

const SlugParamsSchema = Type.Object({ slug: Type.String() })

/** Throws 404 when there is no such link. Without a slug: all links. */
export async function findSubject(database: Database, slug: string | undefined): Promise<Subject> {
  if (slug === undefined) return { linkId: allLinks, slug }
  checkSubjectSlug(slug)
  const link = await database.selectFrom('links').select('id').where('slug', '=', slug).executeTakeFirst()
  if (link === undefined) throw noSuchLink()
  return { linkId: link.id, slug }
}

/** 404 without a lookup for text that can't be a slug. */
export function checkSubjectSlug(slug: string): void {
  if (!slugPattern.test(slug)) throw noSuchLink()
}

export function noSuchLink(): Problem {
  return new Problem(404, 'There is no such link.')
}

/** The two paths of a report, `/stats/overall/…` and `/stats/:slug/…`, and how their schemas differ. */
export function reportPaths(name: string) {
  return [
    { url: `/stats/overall/${name}`, id: 'overall', of: 'all links together', schema: {}, notFound: {} },
    {
      url: `/stats/:slug/${name}`,
      id: 'link',
      of: 'a link',
      schema: { params: SlugParamsSchema },
      notFound: { 404: 'no such link' },
    },
  ]
}

/** Undefined for all links. */
export function slugOf(request: { params: unknown }): string | undefined {
  return (request.params as { slug?: string }).slug
}

/** Restricts raw visits to the subject's. Raw visits are stored under their own link only. */
export function rawVisitsOf(linkId: number) {
  return linkId === allLinks ? sql`true` : sql`link_id = ${linkId}`
}
