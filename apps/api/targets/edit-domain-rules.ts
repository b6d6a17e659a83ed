/** Changes the table of domain rules. A change and its audit commit together. */
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import type { Pool } from 'pg'
import type { Actor } from '../access/actor.ts'
import { writeAudit } from '../audit/audit-queries.ts'
import type { DomainRule } from './domain-queries.ts'
import { removeDomainRule, setDomainRule } from './domain-queries.ts'

type Editor = Pick<Actor, 'keyId' | 'via'>

const actions = {
  block: { added: 'domain.blocked', removed: 'domain.unblocked' },
  allow: { added: 'domain.allowed', removed: 'domain.disallowed' },
} as const

/** Replaces the rule that the domain has. */
export async function addRule(pool: Pool, editor: Editor, domain: string, rule: DomainRule): Promise<void> {
  await inTransaction(pool, async client => {
    const before = (await setDomainRule(client, domain, rule)) ?? null
    if (before === rule) return
    const changes = { rule: [before, rule] as [unknown, unknown] }
    await writeAudit(client, editor, [
      { action: actions[rule].added, linkId: undefined, subject: domain, changes },
    ])
  })
}

/** Returns whether the domain had that rule. */
export function removeRule(pool: Pool, editor: Editor, domain: string, rule: DomainRule): Promise<boolean> {
  return inTransaction(pool, async client => {
    if (!(await removeDomainRule(client, domain, rule))) return false
    const changes = { rule: [rule, null] as [unknown, unknown] }
    await writeAudit(client, editor, [
      { action: actions[rule].removed, linkId: undefined, subject: domain, changes },
    ])
    return true
  })
}
