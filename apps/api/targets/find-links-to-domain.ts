import { isIPv4 } from 'node:net'
import { covers, normalizeHostname } from '@hopcount/shared/domain-names.ts'
import type { Pool } from 'pg'
import type { LinkFields } from '../links/link-fields.ts'

/**
 * The slugs of the links that lead to this domain or one below it, oldest first; also those that lead there once they have
 * expired. Links that are deleted are left out, and disabled ones unless they are asked for.
 *
 * This reads the whole table: the index for searches lags behind new links, and does not know expired URLs.
 */
export async function findLinksToDomain(
  pool: Pool,
  domain: string,
  { disabledToo }: { disabledToo: boolean },
): Promise<{ slug: string; longUrl: string }[]> {
  const found = new Map<number, { slug: string; longUrl: string }>()
  for (const spelling of spellingsOf(domain)) {
    const { rows } = await pool.query<{
      id: number
      slug: string
      longUrl: string
      expiredUrl: string | null
    }>({
      text: `SELECT id, slug, long_url AS "longUrl", expired_url AS "expiredUrl" FROM links
             WHERE (long_url ILIKE $1 OR expired_url ILIKE $1) AND deleted_at IS NULL AND ($2 OR disabled_at IS NULL)`,
      values: [`%${spelling.replace(/[\\%_]/g, '\\$&')}%`, disabledToo],
    })
    for (const { id, slug, ...urls } of rows)
      if (leadsTo(urls, domain)) found.set(id, { slug, longUrl: urls.longUrl })
  }
  return [...found].sort(([a], [b]) => a - b).map(([, link]) => link)
}

/** How an address may be written in a target as it is stored. */
function spellingsOf(domain: string): string[] {
  if (!isIPv4(domain)) return [domain]
  return [domain, new URL(`http://[::ffff:${domain}]`).hostname]
}

export function leadsTo(
  { longUrl, expiredUrl }: Pick<LinkFields, 'longUrl' | 'expiredUrl'>,
  domain: string,
): boolean {
  return [longUrl, expiredUrl].some(url => {
    const parsed = url === null ? null : URL.parse(url)
    return parsed !== null && covers(new Set([domain]), normalizeHostname(parsed.hostname))
  })
}
