/**
 * `npm run link`: what an operator does to links and domains without an API key, beside running processes.
 *
 * - `show`, `disable`, `enable SLUG …`: also as a short URL.
 * - `takedown DOMAIN [--delete] [--block] [--dry-run]`: disables, or deletes, all links to a domain and those below it.
 *   `--block` also keeps new links from leading there.
 * - `block`, `unblock`, `allow`, `disallow DOMAIN …`, and `domains`, which lists them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readCommandConfiguration } from '@hopcount/shared/configuration/command-configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { waitForDatabase } from '@hopcount/shared/database/wait-for-database.ts'
import { parseDomain } from '@hopcount/shared/domain-names.ts'
import { escapeControls } from '@hopcount/shared/escape-controls.ts'
import { openLog } from '@hopcount/shared/log.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import type { Pool } from 'pg'
import { Problem } from './errors/problem.ts'
import { createLinkChanger } from './links/change-links.ts'
import type { LinkFields } from './links/link-fields.ts'
import { describeFields } from './links/link-fields.ts'
import { openLinkCache } from './redirect/lookup/link-cache.ts'
import type { Edit } from './resource/edit-links.ts'
import { deleteLinks, editLinks } from './resource/edit-links.ts'
import type { LinkRow } from './resource/link-rows.ts'
import { findRows } from './resource/link-rows.ts'
import type { DomainRule } from './targets/domain-queries.ts'
import { listDomainRules } from './targets/domain-queries.ts'
import { addRule, removeRule } from './targets/edit-domain-rules.ts'
import { findLinksToDomain, leadsTo } from './targets/find-links-to-domain.ts'

const usage = `usage: npm run link -- show | disable | enable SLUG …
       npm run link -- takedown DOMAIN [--delete] [--block] [--dry-run]
       npm run link -- block | unblock | allow | disallow DOMAIN …
       npm run link -- domains`

const operator = { keyId: undefined, via: 'command' } as const
const linksPerTransaction = 1_000
/** Every API process knows a rule by then. */
const rulesKnownMs = 1_000

await runCommand('link', async () => {
  const { command, names, options } = readArguments()
  const configuration = readCommandConfiguration(process.env)
  const pool = openPool(
    // Finding all links to a domain may read the whole table.
    poolConfig(directDatabaseUrl(configuration), {
      max: 2,
      applicationName: 'hopcount link',
      statementTimeoutMs: 600_000,
    }),
    () => {},
  )
  await waitForDatabase(pool)
  const cacheUrl = configuration.CACHE_REDIS_URL ?? configuration.REDIS_URL
  // A Redis that is away makes no difference to the result, so there is nothing to be said about it.
  const linkCache =
    cacheUrl === undefined ? undefined : openLinkCache(cacheUrl, openLog({ name: 'link', level: 'silent' }))
  const changeLinks = createLinkChanger({ pool, block: linkCache?.block, onChange: () => {} })

  switch (command) {
    case 'show':
      await showLinks(pool, names.map(slugOf))
      break
    case 'disable':
    case 'enable':
      await setDisabled(names.map(slugOf), command === 'disable')
      break
    case 'takedown':
      await takeDown(domainsOf(names))
      break
    case 'block':
    case 'allow':
      for (const domain of domainsOf(names)) await add(pool, domain, command)
      break
    case 'unblock':
    case 'disallow':
      for (const domain of domainsOf(names))
        await remove(pool, domain, command === 'unblock' ? 'block' : 'allow')
      break
    case 'domains':
      await listRules(pool)
  }
  linkCache?.close()
  await pool.end()

  async function setDisabled(slugs: string[], disabled: boolean): Promise<void> {
    const change = (before: LinkFields) => ({ ...before, disabled })
    const edits: Edit[] = [...new Set(slugs)].map(slug => ({ slug, change }))
    const results = await editLinks(changeLinks, operator, edits)
    for (const [i, { slug }] of edits.entries()) {
      const result = results[i]
      if (result instanceof Problem) complain(slug, result.status === 410 ? 'is deleted' : 'is not a link')
      else say(`${slug} is ${disabled ? 'disabled' : `enabled, and ${result?.state}`}`)
    }
  }

  async function takeDown([domain = '']: string[]): Promise<void> {
    const { delete: deleting, block, 'dry-run': dryRun } = options
    const find = () => findLinksToDomain(pool, domain, { disabledToo: deleting })
    if (dryRun) {
      const found = await find()
      for (const { slug, longUrl } of found) say(`${slug} ${longUrl}`)
      say(`${count(found.length)} to ${domain} would be ${deleting ? 'deleted' : 'disabled'}`)
      return
    }
    if (block) {
      await add(pool, domain, 'block')
      await sleep(rulesKnownMs)
    }
    let done = 0
    // Again, since links may have been created meanwhile.
    for (let found = await find(); found.length > 0; found = await find()) {
      for (let i = 0; i < found.length; i += linksPerTransaction) {
        const slugs = found.slice(i, i + linksPerTransaction).map(({ slug }) => slug)
        await takeDownTogether(slugs, domain)
        done += slugs.length
        if (found.length > linksPerTransaction) say(`${done} of ${found.length} …`)
      }
    }
    say(`${count(done)} to ${domain} ${done === 1 ? 'is' : 'are'} ${deleting ? 'deleted' : 'disabled'}`)
  }

  async function takeDownTogether(slugs: string[], domain: string): Promise<void> {
    if (options.delete) {
      await deleteLinks(
        changeLinks,
        operator,
        slugs.map(slug => ({ slug })),
      )
      return
    }
    // One that was changed meanwhile may lead elsewhere.
    const change = (before: LinkFields) => ({
      ...before,
      disabled: before.disabled || leadsTo(before, domain),
    })
    await editLinks(
      changeLinks,
      operator,
      slugs.map(slug => ({ slug, change })),
    )
  }
})

function readArguments() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      delete: { type: 'boolean', default: false },
      block: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
    },
  })
  const [command = '', ...names] = positionals
  const hasOptions = values.delete || values.block || values['dry-run']
  const takesNames = ['show', 'disable', 'enable', 'block', 'unblock', 'allow', 'disallow'].includes(command)
  const isComplete =
    (takesNames && names.length > 0 && !hasOptions) ||
    (command === 'takedown' && names.length === 1) ||
    (command === 'domains' && names.length === 0 && !hasOptions)
  if (!isComplete) throw new Error(usage)
  return { command, names, options: values }
}

/** A complaint names the whole short URL. */
function slugOf(text: string): string {
  return /^https?:\/\//i.test(text) ? (URL.parse(text)?.pathname.slice(1) ?? text) : text
}

function domainsOf(names: string[]): string[] {
  return names.map(name => {
    const domain = parseDomain(name)
    if (domain === undefined) throw new Error(`${JSON.stringify(name)} is not a domain, such as evil.example`)
    return domain
  })
}

async function showLinks(pool: Pool, slugs: string[]): Promise<void> {
  const rows = await findRows(pool, slugs)
  for (const slug of slugs) {
    const row = rows.get(slug)
    if (row === undefined) complain(slug, 'is not a link')
    else say(describeRow(row))
  }
}

function describeRow(row: LinkRow): string {
  const { disabled: _, ...fields } = describeFields(row)
  const lines = Object.entries({
    state: row.state,
    ...fields,
    created_at: row.createdAt.toISOString(),
    created_by: row.createdByName,
    updated_at: row.updatedAt.toISOString(),
    deleted_at: row.deletedAt?.toISOString(),
    visits: row.visits,
    last_visit: row.lastVisit?.toISOString(),
  }).flatMap(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') : String(value ?? '')
    return text === '' || value === false ? [] : [`  ${name}: ${text.replaceAll('\n', '\n    ')}`]
  })
  return [row.slug, ...lines].join('\n')
}

async function add(pool: Pool, domain: string, rule: DomainRule): Promise<void> {
  await addRule(pool, operator, domain, rule)
  say(
    rule === 'block'
      ? `${domain} is blocked: new links must not lead there`
      : `${domain} is allowed: new links must lead to allowed domains`,
  )
}

async function remove(pool: Pool, domain: string, rule: DomainRule): Promise<void> {
  const participle = rule === 'block' ? 'blocked' : 'allowed'
  if (await removeRule(pool, operator, domain, rule)) say(`${domain} is no longer ${participle}`)
  else
    complain(
      domain,
      `was not ${participle} by this command; settings and the file of blocked domains are separate`,
    )
}

async function listRules(pool: Pool): Promise<void> {
  const rules = await listDomainRules(pool)
  for (const { domain, rule } of rules) say(`${rule} ${domain}`)
  say(`${rules.length} ${rules.length === 1 ? 'domain' : 'domains'}, in addition to those of settings`)
}

function count(links: number): string {
  return `${links} ${links === 1 ? 'link' : 'links'}`
}

function say(text: string): void {
  process.stdout.write(`${escapeControls(text)}\n`)
}

/** As JSON: what is unknown here has come from the command line. */
function complain(name: string, what: string): void {
  process.exitCode = 1
  say(`${JSON.stringify(name)} ${what}`)
}
