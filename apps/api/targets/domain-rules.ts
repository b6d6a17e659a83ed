/**
 * Which domains links may lead to, subdomains included: none that is blocked, and where any is allowed, only those.
 *
 * | rules | from | a change holds |
 * |---|---|---|
 * | BLOCKED_DOMAINS, ALLOWED_DOMAINS | settings | after a restart |
 * | BLOCKED_DOMAINS_FILE | a file that is read again when it changes | within some 2 s |
 * | the table `domain_rules` | `npm run link -- block`, `allow` | within 1 s |
 *
 * They hold for links that are created or changed. Existing ones go on until somebody takes them down.
 */
import { covers, normalizeHostname, parseDomain } from '@hopcount/shared/domain-names.ts'
import type { Pool } from 'pg'
import type { DomainCheck } from '../links/check-long-url.ts'
import type { BlockedFile } from './blocked-file.ts'
import { listDomainRules } from './domain-queries.ts'

export interface DomainRules {
  /**
   * Resolves with a check that knows what was committed 1 s ago; call it for each request. If the table can't be read, the
   * check throws why once it needs to know.
   */
  current(): Promise<DomainCheck>
}

/**
 * How long a reading of the table holds. The table is read at most once in that time, and only while links are created,
 * which is less than what a channel for its changes would need in code, and holds also where notices are lost.
 */
const trustedMs = 900

interface TableRules {
  readAt: number
  blocked: ReadonlySet<string>
  allowed: ReadonlySet<string>
}

export function createDomainRules(options: {
  pool: Pool
  blocked: string[]
  allowed: string[]
  file: BlockedFile | undefined
}): DomainRules {
  const { pool, file } = options
  const blocked = new Set(options.blocked.flatMap(text => parseDomain(text) ?? []))
  const allowed = new Set(options.allowed.flatMap(text => parseDomain(text) ?? []))
  let known: TableRules | undefined
  let reading: Promise<TableRules> | undefined

  async function tableRules(): Promise<TableRules> {
    const askedAt = performance.now()
    for (;;) {
      if (known !== undefined && performance.now() - known.readAt < trustedMs) return known
      reading ??= readTable(pool).finally(() => {
        reading = undefined
      })
      known = await reading
      // However slow the database is, a reading that began after the request was made is good enough for it.
      if (known.readAt >= askedAt) return known
    }
  }

  return {
    async current() {
      const table = await tableRules().catch((error: unknown) => () => {
        throw error
      })
      return hostname => {
        const host = normalizeHostname(hostname)
        if (covers(blocked, host) || (file !== undefined && covers(file.domains(), host))) return 'blocked'
        const rules = typeof table === 'function' ? table() : table
        if (covers(rules.blocked, host)) return 'blocked'
        if (allowed.size === 0 && rules.allowed.size === 0) return undefined
        return covers(allowed, host) || covers(rules.allowed, host) ? undefined : 'not allowed'
      }
    },
  }
}

async function readTable(pool: Pool): Promise<TableRules> {
  const readAt = performance.now()
  const rules = await listDomainRules(pool)
  const domains = (wanted: string) =>
    new Set(rules.filter(({ rule }) => rule === wanted).map(({ domain }) => domain))
  return { readAt, blocked: domains('block'), allowed: domains('allow') }
}
