/**
 * `/:slug+`: where a link leads, for people who want to know that before they follow it. A page for browsers, JSON for
 * programs. It is no visit, and a slug that does not exist is not counted as wanted.
 *
 * The target is shown in full, its host as punycode, which deceives nobody. What a link's owner has written is escaped and
 * isolated (`bdi`), so that it can't change how the rest of the page reads.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import { acceptedPage } from '../../errors/accepted-page.ts'
import { Problem } from '../../errors/problem.ts'
import type { VisitorPages } from '../../errors/visitor-pages.ts'
import { escapeHtml } from '../../errors/visitor-pages.ts'
import { slugPattern } from '../../links/check-slug.ts'
import type { Link } from '../../links/link.ts'
import { stateOf } from '../../links/link.ts'
import { findTitle } from '../../links/link-queries.ts'
import type { PublicAddress } from '../../links/short-urls.ts'
import { linkOrigin } from '../../links/short-urls.ts'
import { previewTexts } from './preview-texts.ts'

export interface Preview {
  slug: string
  title: string | null
  long_url: string
}

export type SendPreview = (
  request: FastifyRequest,
  reply: FastifyReply,
  slug: string,
  link: Link,
) => Promise<void>

/** The slug in `slug+`; undefined for everything else, also for a damaged slug with a `+`. */
export function previewedSlug(requested: string): string | undefined {
  const slug = requested.endsWith('+') ? requested.slice(0, -1) : ''
  return slugPattern.test(slug) ? slug : undefined
}

export function createPreview(options: PublicAddress & { pool: Pool; pages: VisitorPages }): SendPreview {
  const { pool, pages } = options

  return async (request, reply, slug, link) => {
    const state = stateOf(link, Date.now())
    if (state === 'disabled' || state === 'scheduled') throw new Problem(404, 'There is no such link.')
    if (state === 'deleted') throw new Problem(410, 'This link was deleted.')
    const target = state === 'expired' ? link.rules?.expiredUrl : link.longUrl
    if (target === undefined) throw new Problem(410, 'This link has expired.')
    const title = await findTitle(pool, link.id)
    const preview: Preview = { slug, title, long_url: target }
    const { accept, 'accept-language': languages } = request.headers
    const language = acceptedPage(accept, languages)
    const texts = previewTexts[language ?? '']
    reply.header('vary', 'Accept, Accept-Language').header('x-robots-tag', 'noindex')
    if (language === undefined || texts === undefined) {
      reply.header('cache-control', 'no-store').type('application/json').send(JSON.stringify(preview))
      return
    }
    const shortUrl = `${linkOrigin(options, request)}/${slug}`
    const lines = [
      `<bdi dir="ltr">${escapeHtml(shortUrl)}</bdi>`,
      ...(title === null ? [] : [`${texts.title} <bdi>${escapeHtml(title)}</bdi>`]),
      ...(state === 'expired' ? [texts.expired] : []),
      `<strong><bdi dir="ltr">${escapeHtml(target)}</bdi></strong>`,
      ...(hasForeignLetters(target) ? [texts.foreignLetters] : []),
      // Relative, so that it works below whatever path a proxy adds.
      `<a href="./${slug}" rel="nofollow">${texts.follow}</a>`,
    ]
    const content = lines.map(line => `<p>${line}</p>`).join('\n')
    pages.write(reply, { language, heading: texts.heading, content })
  }
}

function hasForeignLetters(url: string): boolean {
  return /(^|\.)xn--/i.test(URL.parse(url)?.hostname ?? '')
}
