/** What the page shows, as it stands in the address bar: a copied address shows the same thing elsewhere. */

const views = ['links', 'overview'] as const
export type View = (typeof views)[number]

export const windows = ['all', '24h', '7d', '30d'] as const
export type Window = (typeof windows)[number]

export const sorts = ['visits', 'uniques', 'last_visit', 'growth'] as const
export type Sort = (typeof sorts)[number]

export const periods = ['hour', 'day', 'week', 'month', 'year', 'custom'] as const
export type Period = (typeof periods)[number]

const intervals = ['minute', 'hour', 'day', 'week', 'month'] as const
export type Interval = (typeof intervals)[number]

export const dimensions = ['referrer', 'country', 'browser', 'os', 'device', 'language'] as const
export type Dimension = (typeof dimensions)[number]

/** By dimension the value that visits must have; empty: not told. `class`: human, bot or preview. */
export type Filters = Partial<Record<FilterName, string>>
export type FilterName = Dimension | 'class'
export const filterNames = [...dimensions, 'class'] as const
const classes = ['human', 'bot', 'preview'] as const

export interface Address {
  /** What is shown while no link is. */
  view: View
  /** The slug whose report is shown. */
  link: string | undefined

  /** Which visits the list counts, and how it is sorted. */
  window: Window
  sort: Sort
  search: string | undefined
  /** Where in the list the page begins, as the API says in its `Link` header. */
  after: string | undefined

  period: Period
  /** First and last day of a custom period, as `2026-11-22`; both are part of it. */
  from: string | undefined
  to: string | undefined
  /** Undefined: what suits the period. */
  interval: Interval | undefined
  /** Whether the chart shows the period before, too. */
  compare: boolean
  /** Whether visits of bots and previews are shown with those of people. */
  everyone: boolean
  filters: Filters
  /** The breakdown that is shown in its full length. */
  more: FilterName | undefined
  /** Where in the visits the page begins. */
  before: string | undefined
  /** An IANA zone; undefined: the browser's. */
  zone: string | undefined
  asTable: boolean
}

/** What belongs to one report and not to the next one that is opened. */
export const newReport = { filters: {}, more: undefined, before: undefined } satisfies Partial<Address>

/** What can't be right is as if it were absent: an address may have been cut or typed. */
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
  const sort = one('sort', sorts) ?? 'visits'
  const [from, to] = [readDate(query.get('from')), readDate(query.get('to'))].sort()
  const period = one('period', periods) ?? 'month'
  return {
    view: one('view', views) ?? 'links',
    link: readSlug(query.get('link')),
    window,
    sort: sort === 'growth' && window === 'all' ? 'visits' : sort,
    search: query.get('search')?.slice(0, 2_048) || undefined,
    after: matching('after', /^m?\d{1,16}\.\d{1,16}$/),
    period: period === 'custom' && from === undefined ? 'month' : period,
    from,
    to,
    interval: one('interval', intervals),
    compare: query.get('compare') !== 'off',
    everyone: query.get('bots') === 'show',
    filters: readFilters(query),
    more: one('more', filterNames),
    before: matching('before', /^\d{1,15}\.\d{1,6}$/),
    zone: zone !== null && isZone(zone) ? zone : undefined,
    asTable: query.get('show') === 'table',
  }
}

/** The path and query of an address; defaults are left out. */
export function writeAddress(address: Address): string {
  const query = new URLSearchParams()
  const set = (name: string, value: string | undefined, standard?: string) => {
    if (value !== undefined && value !== standard) query.set(name, value)
  }
  if (address.link === undefined) set('view', address.view, 'links')
  set('link', address.link)
  set('window', address.window, 'all')
  set('sort', address.sort, 'visits')
  set('search', address.search)
  set('after', address.after)
  set('period', address.period, 'month')
  if (address.period === 'custom') {
    set('from', address.from)
    set('to', address.to)
  }
  set('interval', address.interval)
  if (!address.compare) set('compare', 'off')
  if (address.everyone) set('bots', 'show')
  for (const name of filterNames) set(name, address.filters[name])
  set('more', address.more)
  set('before', address.before)
  set('tz', address.zone)
  if (address.asTable) set('show', 'table')
  return query.size === 0 ? '/' : `/?${query}`
}

export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** These are paths of the API beside those of links. */
const noSlugs = ['overall', 'live', 'orphans']

/** Whether a link may be called that. */
export function isSlug(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text) && !noSlugs.includes(text)
}

/** What no link can be called is shown as what it is, no link; but not asked for where it would mean another address. */
function readSlug(text: string | null): string | undefined {
  return text === null || text === '' || noSlugs.includes(text) || /^\.{1,2}$/.test(text) ? undefined : text
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
    if (name === 'country' && !/^([A-Z]{2})?$/.test(value)) continue
    if (name === 'language' && !/^([a-z]{2,3})?$/.test(value)) continue
    filters[name] = value
  }
  return filters
}

function isZone(name: string): boolean {
  try {
    // Browsers know offsets such as +02:00 as zones too, the API does not: they are no place whose clocks change.
    return /^[A-Za-z]/.test(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
