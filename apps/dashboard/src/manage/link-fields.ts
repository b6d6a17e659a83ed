/** What people set of a link, as the text that a form has of it, and back. */
import type { Link, LinkPatch } from '../api/links.ts'
import type { Problem } from '../api/problem.ts'

export const fieldNames = [
  'long_url',
  'title',
  'note',
  'tags',
  'valid_from',
  'expires_at',
  'expired_url',
  'max_visits',
  'forward_query',
] as const
export type FieldName = (typeof fieldNames)[number]
export type FieldTexts = Record<FieldName, string>

const titles: Record<string, string> = {
  long_url: 'Long URL',
  slug: 'Short name',
  title: 'Title',
  note: 'Note',
  tags: 'Tags',
  valid_from: 'Start',
  expires_at: 'Expiry',
  expired_url: 'URL after expiry',
  max_visits: 'Visit limit',
  forward_query: 'Pass the query on',
  disabled: 'Disabled',
  // Of keys, in the audit.
  name: 'Name',
  scopes: 'May',
  requests_per_minute: 'Requests per minute',
}

/** The name of a field on the page. */
export function fieldTitle(name: string): string {
  return titles[name] ?? name
}

/** What the server says about a field, in the page's words. */
export function fieldDetail(problem: Problem | undefined, name: string): string | undefined {
  // A problem with one tag is about the tags.
  const detail = problem?.fields.find(field => field.name.split('/')[0] === name)?.detail
  const title = fieldTitle(name).replace(/^[A-Z](?![A-Z])/, first => first.toLowerCase())
  return detail
    ?.replace(/^must /, `${name} must `)
    .replace(new RegExp(`^${name}\\b`), `The ${title}`)
    .replace('This slug', 'This short name')
}

export function fieldTexts(link: Link): FieldTexts {
  return {
    long_url: link.long_url,
    title: link.title ?? '',
    note: link.note ?? '',
    tags: link.tags.join(', '),
    valid_from: localTime(link.valid_from),
    expires_at: localTime(link.expires_at),
    expired_url: link.expired_url ?? '',
    max_visits: link.max_visits === null ? '' : String(link.max_visits),
    forward_query: link.forward_query ? 'yes' : '',
  }
}

/** The fields that differ, as the API takes them: null removes what was set. */
export function patchOf(texts: FieldTexts, before: FieldTexts): LinkPatch | { problem: Problem } {
  const patch: LinkPatch = {}
  for (const name of fieldNames) {
    const text = texts[name].trim()
    if (text === before[name].trim()) continue
    if (name === 'tags') patch.tags = tagsOf(text)
    else if (name === 'forward_query') patch.forward_query = text !== ''
    else if (name === 'long_url') patch.long_url = withScheme(text)
    else if (text === '') patch[name] = null
    else if (name === 'max_visits') {
      const digits = text.replace(/[\s,]/g, '')
      if (!/^\d{1,15}$/.test(digits)) return fieldProblem(name, 'Please enter a whole number, or nothing.')
      patch.max_visits = Number(digits)
    } else if (name === 'expired_url') patch.expired_url = withScheme(text)
    else patch[name] = name === 'title' || name === 'note' ? text : instantOf(text)
  }
  return patch
}

export function tagsOf(text: string): string[] {
  return text
    .split(',')
    .map(tag => tag.trim())
    .filter(tag => tag !== '')
}

/** `example.com/x`, as it is often typed, means https. */
export function withScheme(text: string): string {
  return /^[^\s/:@?#]+\.[^\s/:@?#.]{2,}(:\d+)?([/?#]|$)/.test(text) ? `https://${text}` : text
}

/** Date reads a text without a zone in the browser's zone. */
export function instantOf(localTime: string): string {
  return new Date(localTime).toISOString()
}

export function fieldProblem(name: string, detail: string): { problem: Problem } {
  return { problem: { status: 422, detail, fields: [{ name, detail }] } }
}

/** As `datetime-local` fields have it, in the browser's zone, to the minute. */
function localTime(instant: string | null): string {
  if (instant === null) return ''
  const date = new Date(instant)
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}
