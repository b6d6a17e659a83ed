/**
 * What is wrong with the fields of a link, beyond what the schemas say. Every field that is wrong is named, with sentences
 * that never repeat the input.
 */
import { Problem } from '../errors/problem.ts'
import { checkExpiry } from '../links/check-expiry.ts'
import type { LongUrlOptions } from '../links/check-long-url.ts'
import { checkLongUrl } from '../links/check-long-url.ts'
import { checkSlug } from '../links/check-slug.ts'
import type { LinkFields } from '../links/link-fields.ts'
import { plainLink, tagKey } from '../links/link-fields.ts'
import type { LinkPatch, NewLinkBody } from './link-schema.ts'

export interface FieldOptions extends LongUrlOptions {
  reserved: ReadonlySet<string>
}

export interface WantedLink {
  fields: LinkFields
  /** Undefined: one is generated. */
  slug: string | undefined
  reuse: boolean
}

type Errors = { pointer: string; detail: string }[]

/** Throws a Problem (422). */
export function checkNewLink(body: NewLinkBody, options: FieldOptions): WantedLink {
  const { slug, reuse = false, ...given } = body
  const errors: Errors = []
  const fields = readFields(plainLink(''), given, options, errors)
  const slugProblem = slug === undefined ? undefined : checkSlug(slug, options.reserved)
  if (slugProblem !== undefined) errors.push({ pointer: '#/slug', detail: slugProblem })
  checkTimes(fields, undefined, errors)
  if (reuse && Object.entries({ slug, ...given, long_url: undefined }).some(([, value]) => isSet(value)))
    errors.push({ pointer: '#/reuse', detail: 'reuse can not be combined with other fields than long_url.' })
  refuse(errors)
  return { fields, slug, reuse }
}

/** An empty or false field says nothing that a plain link would not have. */
function isSet(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0)
  )
}

/** The fields after a change that is to be applied to `before`. Throws a Problem (422). */
export function checkPatch(before: LinkFields, patch: LinkPatch, options: LongUrlOptions): LinkFields {
  const errors: Errors = []
  const fields = readFields(before, patch, options, errors)
  checkTimes(fields, before, errors)
  refuse(errors)
  return fields
}

function refuse(errors: Errors): void {
  const [first] = errors
  if (first !== undefined) throw new Problem(422, first.detail, { errors })
}

/** Absent fields stay as they are, null removes. Fields that are wrong stay, too, and are added to the errors. */
function readFields(
  before: LinkFields,
  patch: LinkPatch,
  options: LongUrlOptions,
  errors: Errors,
): LinkFields {
  function read<Given, Value>(
    field: keyof LinkPatch,
    given: Given | null | undefined,
    old: Value,
    absent: Value,
    check: (given: Given, field: string) => { value: Value } | { problem: string },
  ): Value {
    if (given === undefined) return old
    if (given === null) return absent
    const checked = check(given, field)
    if ('value' in checked) return checked.value
    errors.push({ pointer: `#/${field}`, detail: checked.problem })
    return old
  }
  const url = (text: string, field: string) => checkUrl(text, field, options)
  const flag = (value: boolean) => ({ value })
  return {
    longUrl: read('long_url', patch.long_url, before.longUrl, '', url),
    title: read('title', patch.title, before.title, null, checkTitle),
    note: read('note', patch.note, before.note, null, checkNote),
    tags: read('tags', patch.tags, before.tags, [], checkTags),
    validFrom: read('valid_from', patch.valid_from, before.validFrom, null, checkTime),
    expiresAt: read('expires_at', patch.expires_at, before.expiresAt, null, checkTime),
    expiredUrl: read('expired_url', patch.expired_url, before.expiredUrl, null, url),
    maxVisits: read('max_visits', patch.max_visits, before.maxVisits, null, checkMaxVisits),
    forwardQuery: read('forward_query', patch.forward_query, before.forwardQuery, false, flag),
    disabled: read('disabled', patch.disabled, before.disabled, false, flag),
  }
}

type Checked<Value> = { value: Value } | { problem: string }

function checkUrl(text: string, field: string, options: LongUrlOptions): Checked<string> {
  const checked = checkLongUrl(text, options)
  return 'href' in checked
    ? { value: checked.href }
    : { problem: checked.problem.replaceAll('long_url', field) }
}

function checkTime(text: string, field: string): Checked<Date> {
  const checked = checkExpiry(text, new Date(Number.NEGATIVE_INFINITY))
  if ('expiresAt' in checked) return { value: checked.expiresAt }
  return { problem: checked.problem.replaceAll('expires_at', field) }
}

/** Times are compared with each other, and with the link's own: one that did not change may be in the past. */
function checkTimes(fields: LinkFields, before: LinkFields | undefined, errors: Errors): void {
  const { validFrom, expiresAt } = fields
  if (expiresAt === null || errors.some(({ pointer }) => /valid_from|expires_at/.test(pointer))) return
  if (expiresAt <= new Date() && expiresAt.getTime() !== before?.expiresAt?.getTime())
    errors.push({ pointer: '#/expires_at', detail: 'expires_at must be in the future.' })
  else if (validFrom !== null && validFrom >= expiresAt)
    errors.push({ pointer: '#/valid_from', detail: 'valid_from must be before expires_at.' })
}

const maxTitle = 200
const maxNote = 2_000
const maxTags = 20
const maxTag = 50
const maxMaxVisits = 1e12

function checkTitle(text: string): Checked<string | null> {
  const title = text.normalize('NFC').trim()
  const problem = textProblem('title', title, maxTitle, /\p{Cc}/u)
  return problem === undefined ? { value: title === '' ? null : title } : { problem }
}

function checkNote(text: string): Checked<string | null> {
  const note = text.replaceAll('\r\n', '\n').normalize('NFC').trim()
  const problem = textProblem('note', note, maxNote, /[\p{Cc}--[\t\n]]/v)
  return problem === undefined ? { value: note === '' ? null : note } : { problem }
}

function checkTags(texts: string[]): Checked<string[]> {
  const tags = new Map<string, string>()
  for (const text of texts) {
    const tag = text.normalize('NFC').trim()
    if (tag === '') return { problem: 'tags must not be empty.' }
    if (tag.includes(',')) return { problem: 'tags must not contain commas.' }
    const problem = textProblem('tags', tag, maxTag, /\p{Cc}/u)
    if (problem !== undefined) return { problem }
    const key = tagKey(tag)
    if (!tags.has(key)) tags.set(key, tag)
  }
  if (tags.size > maxTags) return { problem: `tags must be at most ${maxTags}.` }
  return { value: [...tags.values()] }
}

function textProblem(field: string, text: string, max: number, forbidden: RegExp): string | undefined {
  if (!text.isWellFormed()) return `${field} must not contain half of a surrogate pair.`
  if (forbidden.test(text)) return `${field} must not contain control characters.`
  if ([...text].length > max)
    return `${field} must not be longer than ${max.toLocaleString('en')} characters.`
  return undefined
}

function checkMaxVisits(value: number): Checked<number> {
  if (value >= 1 && value <= maxMaxVisits) return { value }
  return { problem: 'max_visits must be from 1 to 1,000,000,000,000.' }
}
