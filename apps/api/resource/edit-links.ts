/**
 * Changes and deletes links. Changes to one link are made one after the other, each checked against what the one before
 * left behind, so of two changes with the same `If-Match` only the first is made. A change and its audit commit together.
 */
import type { PoolClient } from 'pg'
import type { Actor } from '../access/actor.ts'
import type { AuditEntry } from '../audit/audit-queries.ts'
import { writeAudit } from '../audit/audit-queries.ts'
import { Problem } from '../errors/problem.ts'
import type { ChangeLinks } from '../links/change-links.ts'
import { slugPattern } from '../links/check-slug.ts'
import type { LinkFields } from '../links/link-fields.ts'
import { changesBetween, fieldColumns, fieldValues, redirectsPlainly } from '../links/link-fields.ts'
import { etagOf, matches } from './etags.ts'
import { indexLater } from './index-later.ts'
import type { LinkRow } from './link-rows.ts'
import { findRows, lockRows } from './link-rows.ts'

export interface Edit {
  slug: string
  /** The header of that name. */
  ifMatch?: string | undefined
  /** The fields as they are to be; throws a Problem if that is not allowed. */
  change: (before: LinkFields) => LinkFields
}

/** Whom the audit names. */
type Editor = Pick<Actor, 'keyId' | 'via'>

export type Edited = LinkRow | Problem

/** Returns a result per edit. Slugs may not repeat. Edits that change nothing leave the version as it is. */
export function editLinks(changeLinks: ChangeLinks, actor: Editor, edits: Edit[]): Promise<Edited[]> {
  const slugs = edits.map(({ slug }) => slug)
  return changeLinks(slugs, async client => {
    const rows = await lockRows(client, slugs)
    const results = edits.map(edit => applyEdit(edit, rows.get(edit.slug)))
    const changed = results.filter(result => !(result instanceof Problem) && result.isChanged) as Change[]
    await storeChanges(client, actor, changed)
    const current = changed.length === 0 ? rows : await findRows(client, slugs)
    return results.map(result => {
      if (result instanceof Problem) return result
      return current.get(result.before.slug) ?? result.before
    })
  })
}

export interface Deletion {
  slug: string
  ifMatch?: string | undefined
}

/** Returns a Problem per deletion that was not possible. A link that is deleted already stays so. */
export function deleteLinks(
  changeLinks: ChangeLinks,
  actor: Editor,
  deletions: Deletion[],
): Promise<(Problem | undefined)[]> {
  const slugs = [...new Set(deletions.map(({ slug }) => slug))]
  return changeLinks(slugs, async client => {
    const rows = await lockRows(client, slugs)
    const deleted = new Map<string, Change>()
    const problems = deletions.map(({ slug, ifMatch }) => {
      const row = rows.get(slug)
      if (row === undefined) return unknownLink()
      if (row.deletedAt !== null) return undefined
      if (!matches(ifMatch, etagOf(row))) return staleLink()
      deleted.set(slug, { before: row, after: row, isDeleted: true, isChanged: true })
      return undefined
    })
    await storeChanges(client, actor, [...deleted.values()])
    return problems
  })
}

interface Change {
  before: LinkRow
  after: LinkFields
  isChanged: boolean
  isDeleted: boolean
}

function applyEdit(edit: Edit, before: LinkRow | undefined): Change | Problem {
  if (before === undefined) return unknownLink()
  if (before.deletedAt !== null) return new Problem(410, 'This link is deleted.')
  if (!matches(edit.ifMatch, etagOf(before))) return staleLink()
  try {
    const after = edit.change(before)
    const isChanged = Object.keys(changesBetween(before, after)).length > 0
    return { before, after, isChanged, isDeleted: false }
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

async function storeChanges(client: PoolClient, actor: Editor, changes: Change[]): Promise<void> {
  if (changes.length === 0) return
  await client.query({
    name: 'store-link-changes',
    text: `UPDATE links
           SET long_url = change.long_url, title = change.title, note = change.note, tags = change.tags,
               tag_keys = change.tag_keys, valid_from = change.valid_from, expires_at = change.expires_at,
               expired_url = change.expired_url, max_visits = change.max_visits,
               forward_query = change.forward_query,
               disabled_at = CASE WHEN change.disabled THEN coalesce(links.disabled_at, now()) END,
               deleted_at = CASE WHEN change.is_deleted THEN now() END,
               reuse_key = CASE WHEN change.stays_reusable THEN links.reuse_key END,
               version = links.version + 1, updated_at = now()
           FROM jsonb_to_recordset($1::jsonb) AS change (${fieldColumns}, id bigint, is_deleted boolean, stays_reusable boolean)
           WHERE links.id = change.id`,
    values: [
      JSON.stringify(
        changes.map(({ before, after, isDeleted }) => ({
          ...fieldValues(after),
          id: before.id,
          is_deleted: isDeleted,
          stays_reusable: !isDeleted && redirectsPlainly(after) && after.longUrl === before.longUrl,
        })),
      ),
    ],
  })
  const searched = changes.filter(
    ({ before, after }) => before.longUrl !== after.longUrl || before.title !== after.title,
  )
  await indexLater(
    client,
    searched.map(({ before }) => before.id),
  )
  await writeAudit(client, actor, changes.map(describeChange))
}

function describeChange({ before, after, isDeleted }: Change): AuditEntry {
  const common = { linkId: before.id, subject: before.slug }
  if (isDeleted) return { ...common, action: 'link.deleted' }
  return { ...common, action: 'link.changed', changes: changesBetween(before, after) }
}

/** 404 without a look-up for text that can't be a slug. */
export function checkedSlug(text: string): string {
  if (!slugPattern.test(text)) throw unknownLink()
  return text
}

export function unknownLink(): Problem {
  return new Problem(404, 'There is no such link.')
}

function staleLink(): Problem {
  return new Problem(412, 'The link was changed in the meantime: its ETag is another one.')
}
