import type { ClientBase, Pool } from 'pg'

type Database = Pool | ClientBase
export type DomainRule = 'block' | 'allow'

export async function listDomainRules(database: Database): Promise<{ domain: string; rule: DomainRule }[]> {
  const { rows } = await database.query<{ domain: string; rule: DomainRule }>({
    name: 'list-domain-rules',
    text: 'SELECT domain, rule FROM domain_rules ORDER BY domain',
  })
  return rows
}

/** Returns the rule that the domain had; undefined: none. */
export async function setDomainRule(
  database: Database,
  domain: string,
  rule: DomainRule,
): Promise<DomainRule | undefined> {
  const { rows } = await database.query<{ before: DomainRule | null }>({
    text: `WITH before AS (SELECT rule FROM domain_rules WHERE domain = $1)
           INSERT INTO domain_rules (domain, rule) VALUES ($1, $2)
           ON CONFLICT (domain) DO UPDATE SET rule = excluded.rule
           RETURNING (SELECT rule FROM before) AS before`,
    values: [domain, rule],
  })
  return rows[0]?.before ?? undefined
}

/** Returns whether the domain had that rule. */
export async function removeDomainRule(
  database: Database,
  domain: string,
  rule: DomainRule,
): Promise<boolean> {
  const { rowCount } = await database.query({
    text: 'DELETE FROM domain_rules WHERE domain = $1 AND rule = $2',
    values: [domain, rule],
  })
  return rowCount === 1
}
