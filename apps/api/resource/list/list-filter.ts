/** From the query string of a list to what it looks for. */
import { Problem } from '../../errors/problem.ts'
import { tagKey } from '../../links/link-fields.ts'
import { slugOfShortUrl } from '../../links/short-urls.ts'
import type { ListFilter } from './list-queries.ts'
import type { ListQuery } from './list-schema.ts'

export function readFilter(query: ListQuery, isOwnHost: (host: string) => boolean): ListFilter {
  const { search, tag = [], status } = query
  const text = search === undefined ? undefined : checkText('search', search)
  const slug = text === undefined ? undefined : slugOfShortUrl(text, isOwnHost)
  return {
    ...(slug === undefined ? { search: text || undefined } : { slug }),
    tagKeys: tag.map(each => tagKey(checkText('tag', each))),
    state: status,
  }
}

/** PostgreSQL has no NUL, and no stored text has another control character. */
function checkText(parameter: string, text: string): string {
  if (/\p{Cc}/u.test(text))
    throw new Problem(400, `${parameter} must not contain control characters.`, {
      errors: [{ pointer: `#/${parameter}`, detail: 'must not contain control characters' }],
    })
  return text.normalize('NFC').trim()
}
