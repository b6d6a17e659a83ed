import type { FilterName } from '../address.ts'

export const filterTitles: Record<FilterName, string> = {
  channel: 'Channel',
  referrer: 'Referrer',
  country: 'Country',
  browser: 'Browser',
  os: 'Operating system',
  device: 'Device',
  language: 'Language',
  bot_group: 'Kind of bot',
  bot: 'Bot',
  class: 'Visits by',
}

const countries = new Intl.DisplayNames('en', { type: 'region' })
const languages = new Intl.DisplayNames('en', { type: 'language' })
const classNames: Record<string, string> = { human: 'humans', bot: 'bots', preview: 'link previews' }
const channelNames: Record<string, string> = { 'ai assistant': 'AI assistants', social: 'Social networks' }
/** The meaning of an empty value; for channels: the visits were recorded before channels existed. */
const untoldNames: Partial<Record<FilterName, string>> = {
  referrer: 'Direct or unknown',
  channel: 'Not recorded',
  bot_group: 'Humans',
  bot: 'Humans',
}
const botGroupNames: Record<string, string> = {
  'ai fetcher': 'AI assistants for a person',
  'ai crawler': 'AI crawlers',
  preview: 'Link previews',
  search: 'Search engines',
  seo: 'SEO tools',
  app: 'Apps',
  library: 'Programs',
}
const deviceNames: Record<string, string> = { tv: 'TV' }

/** The display name of a value of a breakdown or filter. */
export function valueName(name: FilterName, value: string): string {
  if (value === '*') return 'All others'
  if (value === '') return untoldNames[name] ?? 'Unknown'
  if (name === 'channel') return channelNames[value] ?? capitalized(value)
  if (name === 'bot_group') return botGroupNames[value] ?? capitalized(value)
  if (name === 'country') return countryName(value)
  if (name === 'language') return languageName(value)
  if (name === 'class') return classNames[value] ?? value
  return name === 'device' ? (deviceNames[value] ?? capitalized(value)) : value
}

export function countryName(code: string): string {
  try {
    return countries.of(code) ?? code
  } catch {
    // An invalid code, from another database.
    return code
  }
}

export function languageName(code: string): string {
  try {
    return languages.of(code) ?? code
  } catch {
    return code
  }
}

export function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
