/** What the page shows, as it stands in the address bar: a copied address shows the same thing elsewhere. */

export const windows = ['all', '24h', '7d', '30d'] as const
export type Window = (typeof windows)[number]

export const periods = ['day', 'week', 'month', 'year'] as const
export type Period = (typeof periods)[number]

export interface Address {
  /** The slug whose details are shown; undefined: the list. */
  link: string | undefined
  /** Which visits the list counts. */
  window: Window
  /** Where in the list the page begins, as the API says in its `Link` header. */
  after: string | undefined
  period: Period
  /** An IANA zone; undefined: the browser's. */
  zone: string | undefined
  asTable: boolean
}

/** What can't be right is as if it were absent: an address may have been cut or typed. */
export function readAddress(search: string): Address {
  const query = new URLSearchParams(search)
  const zone = query.get('tz')
  return {
    link: query.get('link') || undefined,
    window: windows.find(window => window === query.get('window')) ?? 'all',
    after: /^\d{1,16}\.\d{1,16}$/.test(query.get('after') ?? '')
      ? (query.get('after') ?? undefined)
      : undefined,
    period: periods.find(period => period === query.get('period')) ?? 'month',
    zone: zone !== null && isZone(zone) ? zone : undefined,
    asTable: query.get('show') === 'table',
  }
}

/** The path and query of an address; defaults are left out. */
export function writeAddress(address: Address): string {
  const query = new URLSearchParams()
  if (address.link !== undefined) query.set('link', address.link)
  if (address.window !== 'all') query.set('window', address.window)
  if (address.after !== undefined) query.set('after', address.after)
  if (address.period !== 'month') query.set('period', address.period)
  if (address.zone !== undefined) query.set('tz', address.zone)
  if (address.asTable) query.set('show', 'table')
  return query.size === 0 ? '/' : `/?${query}`
}

export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

function isZone(name: string): boolean {
  try {
    // Browsers know offsets such as +02:00 as zones too, the API does not: they are no place whose clocks change.
    return /^[A-Za-z]/.test(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
