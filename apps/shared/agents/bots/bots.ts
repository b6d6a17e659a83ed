/** Names of everything automatic, grouped by purpose. */
import type { NamedWords } from '../named-words.ts'
import { namesOf, wordFinder } from '../named-words.ts'
import { aiCrawlers, aiFetchers } from './ai-agents.ts'
import { knownCrawlers } from './known-crawlers.ts'
import { previews } from './previews.ts'
import { apps, archives, feedReaders, libraries } from './programs.ts'
import { searchEngines } from './search-engines.ts'
import { monitors, scanners, securityScanners, seoTools } from './site-tools.ts'

export const botGroups = [
  'preview',
  'ai fetcher',
  'ai crawler',
  'search',
  'monitoring',
  'mail scanner',
  'security',
  'seo',
  'feed reader',
  'archive',
  'app',
  'library',
  'other',
] as const

export type BotGroup = (typeof botGroups)[number]

export interface NamedBot {
  name: string
  group: BotGroup
}

/** In order of precedence: a crawler that also names its library is the crawler. */
const tables: readonly [group: BotGroup, table: readonly NamedWords[]][] = [
  ['preview', previews],
  ['ai fetcher', aiFetchers],
  ['ai crawler', aiCrawlers],
  ['search', searchEngines],
  ['seo', seoTools],
  ['monitoring', monitors],
  ['security', securityScanners],
  ['mail scanner', scanners],
  ['feed reader', feedReaders],
  ['archive', archives],
  ...knownCrawlers,
  ['app', apps],
  ['library', libraries],
]

const otherBot = 'Other'

export const botNames: readonly string[] = [...namesOf(...tables.map(([, table]) => table)), otherBot]

const findBot = wordFinder(
  tables.flatMap(([group, table]) =>
    table.map(([name, ...words]): NamedWords<NamedBot> => [{ name, group }, ...words]),
  ),
)

/** Names a bot by its text in lower case, behind a blank. */
export function nameBot(text: string): NamedBot {
  return findBot(text) ?? { name: otherBot, group: 'other' }
}
