/**
 * Gives referrers and user agents numbers from `texts`, so that a raw visit stores 4 bytes instead of 100.
 *
 * A text gets a row when this worker sees it for the second time. For texts that never come again, a row and an index
 * entry would cost more than the text in its visit. Rows are committed on their own, before the visits that refer to them;
 * after a failure, unreferenced rows do no harm.
 */
import { textArray } from '@hopcount/shared/database/binary-arrays.ts'
import { incarnationSql } from '@hopcount/shared/database/database-epoch.ts'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { KnownDatabase } from './known-database.ts'
import type { TextTable } from './visit-columns.ts'

export interface TextNumbers {
  /** The numbers of those texts in the tables that have one. They hold in the incarnation that is known at the call. */
  of(...tables: TextTable<unknown>[]): Promise<Map<string, number>>
  forget(): void
}

interface NumberedText {
  id: number
  text: string
  /** The database that says so. */
  seen: string | null
}

const remembered = 50_000
/** A B-tree entry holds at most a third of a page (nbtree: 2,704 bytes). Longer texts are rare, and stay in their visits. */
const maxTextBytes = 1_024

export function createTextNumbers(pool: Pool, database: KnownDatabase): TextNumbers {
  const numbers = new LRUCache<string, number>({ max: remembered })
  const seenOnce = new LRUCache<string, true>({ max: remembered })

  async function of(...tables: TextTable<unknown>[]): Promise<Map<string, number>> {
    const incarnation = database.incarnation()
    const found = new Map<string, number>()
    const wanted = new Set<string>()
    for (const { texts, visits } of tables) {
      for (const [place, text] of texts.entries()) {
        if (text === undefined) continue
        const number = numbers.get(text)
        if (number !== undefined) found.set(text, number)
        else if (comesAgain(text, visits[place]) && Buffer.byteLength(text) <= maxTextBytes) wanted.add(text)
        else seenOnce.set(text, true)
      }
    }
    if (wanted.size === 0) return found
    const rows = await numberTexts([...wanted].sort())
    for (const { seen } of rows) database.expect(incarnation, seen)
    for (const { id, text } of rows) {
      numbers.set(text, id)
      seenOnce.delete(text)
      found.set(text, id)
    }
    return found
  }

  function comesAgain(text: string, visits = 0): boolean {
    return visits > 1 || seenOnce.has(text)
  }

  /** The texts are sorted, so that two workers that number the same ones wait for each other in one order. */
  async function numberTexts(texts: string[]): Promise<NumberedText[]> {
    const known = await findTexts(texts)
    const knownTexts = new Set(known.map(row => row.text))
    const unknown = texts.filter(text => !knownTexts.has(text))
    if (unknown.length === 0) return known
    await pool.query({
      name: 'insert-texts',
      text: 'INSERT INTO texts (text) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING',
      values: [textArray(unknown)],
    })
    return findTexts(texts)
  }

  async function findTexts(texts: string[]): Promise<NumberedText[]> {
    const result = await pool.query<NumberedText>({
      name: 'find-texts',
      text: `SELECT id, text, ${incarnationSql} AS seen FROM texts WHERE text = ANY($1::text[])`,
      values: [textArray(texts)],
    })
    return result.rows
  }

  return {
    of,
    forget: () => numbers.clear(),
  }
}
