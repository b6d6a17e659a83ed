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
   * A check that knows what was committed 1 s ago; call it for each request. If the table can't be read, the check throws
   * why once it needs to know.
   */
  current(): DomainCheck | Promise<DomainCheck>
}

/**
 * How long a reading of the table holds. The table is read at most once in that time, and only while links are created,
 * which is less than what a channel for its changes would need in code, and holds also where notices are lost.
 */
const trustedMs = 900

interface KnownRules {
  readAt: number
  check: DomainCheck
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
  let known: KnownRules = { readAt: Number.NEGATIVE_INFINITY, check: () => undefined }
  let reading: Promise<KnownRules> | undefined

  async function readAgain(askedAt: number): Promise<DomainCheck> {
    while (performance.now() - known.readAt >= trustedMs) {
      reading ??= readTable().finally(() => {
        reading = undefined
      })
      known = await reading
      // However slow the database is, a reading that began after the request was made is good enough for it.
      if (known.readAt >= askedAt) break
    }
    return known.check
  }

  async function readTable(): Promise<KnownRules> {
    const readAt = performance.now()
    const table = await readDomains(pool)
    return { readAt, check: checkWith(() => table) }
  }

  function checkWith(table: () => TableRules): DomainCheck {
    return hostname => {
      const host = normalizeHostname(hostname)
      if (covers(blocked, host) || (file !== undefined && covers(file.domains(), host))) return 'blocked'
      const rules = table()
      if (covers(rules.blocked, host)) return 'blocked'
      if (allowed.size === 0 && rules.allowed.size === 0) return undefined
      return covers(allowed, host) || covers(rules.allowed, host) ? undefined : 'not allowed'
    }
  }

  return {
    current() {
      const now = performance.now()
      if (now - known.readAt < trustedMs) return known.check
      return readAgain(now).catch((error: unknown) =>
        checkWith(() => {
          throw error
        }),
      )
    },
  }
}

interface TableRules {
  blocked: ReadonlySet<string>
  allowed: ReadonlySet<string>
}

async function readDomains(pool: Pool): Promise<TableRules> {
  const rules = await listDomainRules(pool)
  const domains = (wanted: string) =>
    new Set(rules.filter(({ rule }) => rule === wanted).map(({ domain }) => domain))
  return { blocked: domains('block'), allowed: domains('allow') }
}
