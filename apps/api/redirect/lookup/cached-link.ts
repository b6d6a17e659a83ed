/** How L2 writes a link: `id expiresAt url`, and for one with rules `flags deletedAt validFrom maxVisits expiredUrl`. */
import type { Link, LinkRules } from '../../links/link.ts'
import { createLink } from '../../links/link.ts'

/** In place of a link that is being changed; not read as a link. */
export const tombstone = '-'

export function printLink({ id, expiresAt, longUrl, rules }: Link): string {
  const text = `${id} ${expiresAt ?? '-'} ${longUrl}`
  return rules === undefined ? text : `${text} ${printRules(rules)}`
}

function printRules(rules: LinkRules): string {
  const flags = `${rules.isDisabled ? 'd' : ''}${rules.forwardQuery ? 'f' : ''}`
  const { deletedAt, validFrom, maxVisits, expiredUrl } = rules
  return [flags || undefined, deletedAt, validFrom, maxVisits, expiredUrl].map(part => part ?? '-').join(' ')
}

const number = String.raw`(\d{1,16}|-)`
const url = String.raw`(https?:\/\/\S+)`
const plain = String.raw`(\d{1,16}) ${number} ${url}`
const printed = new RegExp(`^${plain}(?: (d?f?|-) ${number} ${number} ${number} (?:${url}|-))?$`)

/** Undefined: it is none. Redis is not trusted to hold what this release wrote. */
export function parseLink(text: string): Link | undefined {
  const match = printed.exec(text)
  if (match === null) return undefined
  const [, id, expiresAt, longUrl, flags, deletedAt, validFrom, maxVisits, expiredUrl] = match
  return createLink(
    Number(id),
    String(longUrl),
    parseNumber(expiresAt),
    flags === undefined
      ? undefined
      : {
          isDisabled: flags.includes('d'),
          deletedAt: parseNumber(deletedAt),
          validFrom: parseNumber(validFrom),
          expiredUrl,
          maxVisits: parseNumber(maxVisits),
          forwardQuery: flags.includes('f'),
        },
  )
}

function parseNumber(text: string | undefined): number | undefined {
  return text === undefined || text === '-' ? undefined : Number(text)
}
