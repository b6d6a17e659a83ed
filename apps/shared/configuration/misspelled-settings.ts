/**
 * Environment variables that are probably meant to be one of our settings: a misspelt setting has no effect, and nothing else
 * would say so.
 */
import { distance } from 'fastest-levenshtein'
import { ConfigurationSchema } from './configuration-schema.ts'

const settings = Object.keys(ConfigurationSchema.properties)

/** Each with a sentence. Values are not repeated: they may be passwords. */
export function misspelledSettings(environment: NodeJS.ProcessEnv): { name: string; warning: string }[] {
  return Object.keys(environment).flatMap(name => {
    if (settings.includes(name)) return []
    // Where the setting itself has a value, the other variable is likely to be for something else.
    const meant = settings.find(setting => !environment[setting] && looksLike(name, setting))
    if (meant === undefined) return []
    return [{ name, warning: `${name} is not a setting, and has no effect: is ${meant} meant?` }]
  })
}

/** `REDIS_ULR`, `SPOOLDIR`, `redis_url`, `HOPCOUNT_REDIS_URL`. Short names differ from too many others by a letter. */
function looksLike(name: string, setting: string): boolean {
  const [a, b] = [bare(name), bare(setting)]
  if (a === b) return true
  if (b.length < 7) return sortedLetters(a) === sortedLetters(b) && distance(a, b) <= 2
  return distance(a, b) <= 2
}

const bare = (name: string) =>
  name
    .toUpperCase()
    .replace(/^HOPCOUNT_/, '')
    .replaceAll(/[^A-Z0-9]/g, '')

const sortedLetters = (word: string) => [...word].sort().join('')
