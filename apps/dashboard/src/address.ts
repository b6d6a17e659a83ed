/** The state of the page, kept in the address bar: a copied address shows the same thing elsewhere. */
import type { LinkResource } from '../../api/resource/link-schema.ts'
import type { FilterQuery } from '../../api/stats/raw/filter-schema.ts'
import type { Comparison, SeriesInterval } from '../../api/stats/series/series-schema.ts'
import type { TopLinksQuery } from '../../api/stats/top-links/top-links-schema.ts'

const views = ['links', 'overview', 'keys', 'audit'] as const
export type View = (typeof views)[number]

export type Window = NonNullable<TopLinksQuery['window']>
export const windows = ['all', '24h', '7d', '30d'] as const satisfies Window[]

/** By visits, which the statistics rank. */
export type VisitSort = TopLinksQuery['sort']
export const visitSorts = [
  'humans',
  'visits',
  'uniques',
  'last_visit',
  'growth',
] as const satisfies VisitSort[]
/** `newest`: every link, with or without visits. */
export type Sort = VisitSort | 'newest'
export const sorts = ['newest', ...visitSorts] as const

export type LinkState = LinkResource['state']
export const states = [
  'active',
  'scheduled',
  'expired',
  'exhausted',
  'disabled',
  'deleted',
] as const satisfies LinkState[]

const periods = [
  ...(['today', 'yesterday', 'hour', 'day'] as const),
  ...(['week', 'month', 'year'] as const),
  ...(['this-month', 'last-month', 'year-to-date', 'all', 'custom'] as const),
] as const
export type Period = (typeof periods)[number]

export type { Comparison }

const comparisons = ['previous', 'month', 'year'] as const satisfies Comparison[]

export type Interval = SeriesInterval
const intervals = ['minute', 'hour', 'day', 'week', 'month'] as const satisfies Interval[]

export type FilterName = keyof FilterQuery
export type Dimension = Exclude<FilterName, 'class'>
export const dimensions = [
  'channel',
  'referrer',
  'country',
  'browser',
  'os',
  'device',
  'language',
] as const satisfies Dimension[]
/** Of bots and previews: shown where these are. */
export const botDimensions = ['bot_group', 'bot'] as const satisfies Dimension[]

/** The value that visits must have, per dimension; empty: unknown. `class`: human, bot or preview. */
export type Filters = Partial<Record<FilterName, string>>
export const filterNames = [...dimensions, ...botDimensions, 'class'] as const
const channels = [
  'search',
  'social',
  'mail',
  'messaging',
  'ai assistant',
  'video',
  'ads',
  'direct',
  'other',
] as const satisfies NonNullable<FilterQuery['channel']>[]
const classes = ['human', 'bot', 'preview'] as const

export interface Address {
  /** What is shown while no link is open. */
  view: View
  /** The slug of the open report. */
  link: string | undefined

  /** The visits that the list counts, and its sort order. */
  window: Window
  sort: Sort
  search: string | undefined
  /** The list's filters, which `newest` has. Undefined: every state but deleted. */
  status: LinkState | undefined
  tags: readonly string[]
  /** Where the page of the list begins, or ends, from the API's `Link` header. */
  after: string | undefined
  until: string | undefined
  /** Counted by the user's steps from the top. */
  page: number

  period: Period
  /**
   * First and last day of a custom period, inclusive, as `2026-11-22`; or its beginning and end, exclusive, as
   * `2026-11-22T10:00Z`, which the chart selects.
   */
  from: string | undefined
  to: string | undefined
  /** Undefined: chosen to suit the period. */
  interval: Interval | undefined
  /** The earlier range that everything is compared with. */
  compare: Comparison | 'off'
  /** Whether visits by bots and previews are included; undefined: only where nobody else came. */
  everyone: boolean | undefined
  filters: Filters
  /** The breakdown that is shown in full. */
  more: FilterName | undefined
  /** Where the page of visits begins. */
  before: string | undefined
  /** An IANA zone; undefined: the browser's. */
  zone: string | undefined
  asTable: boolean
}

/** The first page of a list. */
export const firstPage = { after: undefined, until: undefined, page: 1 } satisfies Partial<Address>

/** State that does not carry over to the next report. */
export const newReport = { filters: {}, more: undefined, before: undefined } satisfies Partial<Address>

/** Ignores invalid values: an address may have been cut off or typed by hand. */
export function readAddress(search: string): Address {
  const query = new URLSearchParams(search)
  const one = <T extends string>(name: string, values: readonly T[]) =>
    values.find(value => value === query.get(name))
  const matching = (name: string, pattern: RegExp) => {
    const value = query.get(name)
    return value !== null && pattern.test(value) ? value : undefined
  }
  const zone = query.get('tz')
  const window = one('window', windows) ?? 'all'
  const sort = one('sort', sorts) ?? usualSort(window)
  const [from, to] = readLimits(query.get('from'), query.get('to'))
  const period = one('period', periods) ?? 'month'
  return {
    view: one('view', views) ?? 'links',
    link: readSlug(query.get('link')),
    window,
    sort: sort === 'growth' && window === 'all' ? 'humans' : sort,
    search: query.get('search')?.slice(0, 2_048) || undefined,
    status: one('status', states),
    tags: query.getAll('tag').filter(tag => tag !== '' && tag.length <= 50),
    after: matching('after', /^m?\d{1,16}(\.\d{1,16})?$/),
    until: matching('until', /^m?\d{1,16}(\.\d{1,16})?$/),
    page: Number(matching('page', /^\d{1,6}$/) ?? 1),
    period: period === 'custom' && from === undefined ? 'month' : period,
    from,
    to,
    interval: one('interval', intervals),
    compare: one('compare', [...comparisons, 'off']) ?? 'previous',
    everyone: { show: true, hide: false }[query.get('bots') ?? ''],
    filters: readFilters(query),
    more: one('more', filterNames),
    before: matching('before', /^\d{1,15}\.\d{1,6}$/),
    zone: zone !== null && isZone(zone) ? zone : undefined,
    asTable: query.get('show') === 'table',
  }
}

/** The path and query of an address, without defaults. */
export function writeAddress(address: Address): string {
  const query = new URLSearchParams()
  const set = (name: string, value: string | undefined, standard?: string) => {
    if (value !== undefined && value !== standard) query.set(name, value)
  }
  if (address.link === undefined) set('view', address.view, 'links')
  set('link', address.link)
  set('window', address.window, 'all')
  set('sort', address.sort, usualSort(address.window))
  set('search', address.search)
  set('status', address.status)
  for (const tag of address.tags) query.append('tag', tag)
  set('after', address.after)
  set('until', address.until)
  set('page', String(address.page), '1')
  set('period', address.period, 'month')
  if (address.period === 'custom') {
    set('from', address.from)
    set('to', address.to)
  }
  set('interval', address.interval)
  set('compare', address.compare, 'previous')
  if (address.everyone !== undefined) set('bots', address.everyone ? 'show' : 'hide')
  for (const name of filterNames) set(name, address.filters[name])
  set('more', address.more)
  set('before', address.before)
  set('tz', address.zone)
  if (address.asTable) set('show', 'table')
  return query.size === 0 ? '/' : `/?${query}`
}

/** A window is about visits. */
function usualSort(window: Window): Sort {
  return window === 'all' ? 'newest' : 'humans'
}

export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** The API has paths of its own for these words where others have a slug: `/stats/overall`. */
export const reservedWords = ['overall', 'live', 'orphans']

/** Whether a link may have this slug. */
export function isSlug(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text) && !reservedWords.includes(text)
}

/** An impossible slug is shown as an unknown link, except where its path would mean something else. */
function readSlug(text: string | null): string | undefined {
  return text === null || text === '' || reservedWords.includes(text) || /^\.{1,2}$/.test(text)
    ? undefined
    : text
}

/** Two times, or otherwise dates, the earlier one first. */
function readLimits(...texts: [string | null, string | null]): (string | undefined)[] {
  const isTime = (text: string | null) =>
    text !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text))
  return texts.every(isTime) && texts[0] !== texts[1]
    ? (texts as string[]).sort()
    : texts.map(text => readDate(text?.slice(0, 10) ?? null)).sort()
}

function readDate(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-\d\d-\d\d$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) || text < '1970-01-02' ? undefined : new Date(time).toISOString().slice(0, 10)
}

function readFilters(query: URLSearchParams): Filters {
  const filters: Filters = {}
  for (const name of filterNames) {
    const value = query.get(name)
    if (value === null || value.length > 255) continue
    if (name === 'class' && !classes.some(known => known === value)) continue
    if (name === 'channel' && !channels.some(known => known === value)) continue
    if (name === 'country' && !/^([A-Z]{2})?$/.test(value)) continue
    if (name === 'language' && !/^([a-z]{2,3})?$/.test(value)) continue
    filters[name] = value
  }
  return filters
}

function isZone(name: string): boolean {
  try {
    // Browsers accept offsets such as +02:00, too, but the API does not: they aren't places whose clocks change.
    return /^[A-Za-z]/.test(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
