import type { Breakdowns, StoredBreakdowns } from '@hopcount/shared/breakdowns.ts'
import { addCount, addStored } from '@hopcount/shared/breakdowns.ts'

/**
 * Adds what a column `breakdowns` holds, given as its text. The way storedText writes it, it is read without making an
 * object of it: V8 gives each new order of keys a shape of its own. Measured, both ways in turn: 10 µs of a worker's
 * time per delta that is folded, with JSON.parse 16. Any other JSON (spaces, escapes) is parsed as such.
 */
export function addStoredText(to: Breakdowns, text: string): void {
  const entries = text.includes('\\') ? undefined : readEntries(text)
  if (entries === undefined) addStored(to, JSON.parse(text) as StoredBreakdowns)
  else for (const { key, visits, humans } of entries) addCount(to, key, visits, humans)
}

interface Entry {
  key: string
  visits: number
  humans: number
}

const quote = '"'.charCodeAt(0)
const comma = ','.charCodeAt(0)
const colon = ':'.charCodeAt(0)
const bracket = '['.charCodeAt(0)
const closingBracket = ']'.charCodeAt(0)
const zero = '0'.charCodeAt(0)

/** Undefined where the text is not `{"key":1,"key":[2,1]}`, to the character. */
function readEntries(text: string): Entry[] | undefined {
  const end = text.length - 1
  if (text[0] !== '{' || text[end] !== '}') return undefined
  const entries: Entry[] = []
  let at = 0
  /** From `at + 1`; leaves `at` behind the last digit. NaN where there is none. */
  const readNumber = (): number => {
    let number = digit(text, ++at)
    for (let next = digit(text, ++at); next >= 0; next = digit(text, ++at)) number = 10 * number + next
    return number
  }
  while (at < end) {
    if (at > 0 && text.charCodeAt(at) !== comma) return undefined
    if (text.charCodeAt(++at) !== quote) return entries.length === 0 && at === end ? entries : undefined
    const keyEnd = text.indexOf('"', at + 1)
    const key = text.slice(at + 1, keyEnd)
    at = keyEnd + 1
    if (keyEnd < 0 || text.charCodeAt(at) !== colon) return undefined
    const inBrackets = text.charCodeAt(at + 1) === bracket
    if (inBrackets) at++
    const visits = readNumber()
    let humans = visits
    if (inBrackets) {
      if (text.charCodeAt(at) !== comma) return undefined
      humans = readNumber()
      if (text.charCodeAt(at++) !== closingBracket) return undefined
    }
    if (Number.isNaN(visits + humans)) return undefined
    entries.push({ key, visits, humans })
  }
  return entries
}

/** NaN where the character is no digit. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - zero
  return value >= 0 && value <= 9 ? value : Number.NaN
}
