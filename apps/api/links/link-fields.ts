/** What people set of a link: everything but its slug. */

export interface LinkFields {
  longUrl: string
  title: string | null
  note: string | null
  /** As they were written. */
  tags: string[]
  validFrom: Date | null
  expiresAt: Date | null
  expiredUrl: string | null
  maxVisits: number | null
  forwardQuery: boolean
  disabled: boolean
}

/** A link of which only the target was given. */
export function plainLink(longUrl: string): LinkFields {
  return {
    longUrl,
    title: null,
    note: null,
    tags: [],
    validFrom: null,
    expiresAt: null,
    expiredUrl: null,
    maxVisits: null,
    forwardQuery: false,
    disabled: false,
  }
}

/** True if every visitor is always redirected to exactly the target. Only such links are reused. */
export function redirectsPlainly(fields: LinkFields): boolean {
  const { validFrom, expiresAt, maxVisits, forwardQuery, disabled } = fields
  return validFrom === null && expiresAt === null && maxVisits === null && !forwardQuery && !disabled
}

/** True if nothing but the target was given, which goes for most links. */
export function isPlain(fields: LinkFields): boolean {
  return (
    redirectsPlainly(fields) &&
    fields.title === null &&
    fields.note === null &&
    fields.tags.length === 0 &&
    fields.expiredUrl === null
  )
}

/** The fields as the API and the audit name and write them. */
export interface DescribedFields {
  long_url: string
  title: string | null
  note: string | null
  tags: string[]
  valid_from: string | null
  expires_at: string | null
  expired_url: string | null
  max_visits: number | null
  forward_query: boolean
  disabled: boolean
}

export function describeFields(fields: LinkFields): DescribedFields {
  return {
    long_url: fields.longUrl,
    title: fields.title,
    note: fields.note,
    tags: fields.tags,
    valid_from: fields.validFrom?.toISOString() ?? null,
    expires_at: fields.expiresAt?.toISOString() ?? null,
    expired_url: fields.expiredUrl,
    max_visits: fields.maxVisits,
    forward_query: fields.forwardQuery,
    disabled: fields.disabled,
  }
}

export type FieldChanges = Record<string, [before: unknown, after: unknown]>

/** The fields that differ. */
export function changesBetween(before: LinkFields, after: LinkFields): FieldChanges {
  return differences(describeFields(before), describeFields(after))
}

/** The target, and whatever else a plain link does not have. */
export function changesOfCreation(created: DescribedFields): FieldChanges {
  return differences({ ...describeFields(plainLink('')), long_url: null }, created)
}

function differences(before: Record<keyof DescribedFields, unknown>, after: DescribedFields): FieldChanges {
  const changes: FieldChanges = {}
  for (const field of Object.keys(after) as (keyof DescribedFields)[]) {
    if (JSON.stringify(before[field]) !== JSON.stringify(after[field]))
      changes[field] = [before[field], after[field]]
  }
  return changes
}

/** What tags are compared by. The database does not fold case: its rules depend on its locale. */
export function tagKey(tag: string): string {
  return tag.toLowerCase().normalize('NFC')
}

/** The columns of a JSON array of `fieldValues`, for `jsonb_to_recordset`. */
export const fieldColumns = `long_url text, title text, note text, tags text[], tag_keys text[], valid_from timestamptz,
  expires_at timestamptz, expired_url text, max_visits bigint, forward_query boolean, disabled boolean`

export function fieldValues(fields: LinkFields): DescribedFields & { tag_keys: string[] } {
  return { ...describeFields(fields), tag_keys: fields.tags.map(tagKey) }
}
