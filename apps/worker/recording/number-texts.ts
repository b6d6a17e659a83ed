/**
 * Gives referrers and user agents numbers from `texts`, so that a raw visit stores 4 bytes instead of 100.
 *
 * A text gets a row when this worker sees it for the second time. For texts that never come again, a row and an index
 * entry would cost more than the text in its visit. Rows are committed on their own, before the visits that refer to them;
 * after a failure, unreferenced rows do no harm.
 *
 * A number is remembered for a day, and whoever looks a text up sets the day of its last use: so texts that no kept visit
 * refers to can be deleted (maintenance/retention/retire-texts.ts). The number of rows is limited (text-room.ts).
 */
import { integerArray, textArray } from '@hopcount/shared/database/binary-arrays.ts'
import { incarnationSql } from '@hopcount/shared/database/database-epoch.ts'
import { dayMs } from '@hopcount/shared/days.ts'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import pg from 'pg'
import type { KnownDatabase } from './known-database.ts'
import type { TextRoom } from './text-room.ts'
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

/** `nextval` has reached the end of the type integer (SQLSTATE 2200H). */
const sequenceExhausted = '2200H'

export function createTextNumbers(pool: Pool, database: KnownDatabase, room: TextRoom): TextNumbers {
  const isOverdue = createDayTimer()
  const numbers = new LRUCache<string, number>({ max: remembered })
  const seenOnce = new LRUCache<string, true>({ max: remembered })

  async function of(...tables: TextTable<unknown>[]): Promise<Map<string, number>> {
    const incarnation = database.incarnation()
    if (isOverdue()) numbers.clear()
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

  /**
   * The numbers of those texts that have or get one. The texts are sorted, so that two workers that number the same ones
   * wait for each other in one order.
   */
  async function numberTexts(texts: string[]): Promise<NumberedText[]> {
    const known = await findTexts(texts)
    const unused = known.filter(row => !row.used).map(row => row.id)
    if (unused.length > 0) await touchTexts(unused)
    const knownTexts = new Set(known.map(row => row.text))
    const unknown = texts.filter(text => !knownTexts.has(text))
    const inserted = room.hasRoomFor(unknown.length) && (await insertTexts(unknown))
    // Read again: a text that was not marked as used may be deleted by now.
    return inserted || unused.length > 0 ? (await findTexts(texts)).filter(row => row.used) : known
  }

  async function findTexts(texts: string[]): Promise<(NumberedText & { used: boolean })[]> {
    const result = await pool.query<NumberedText & { used: boolean }>({
      name: 'find-texts',
      text: `SELECT id, text, used_on >= CURRENT_DATE AS used, ${incarnationSql} AS seen
             FROM texts WHERE text = ANY($1::text[])`,
      values: [textArray(texts)],
    })
    return result.rows
  }

  async function touchTexts(ids: number[]): Promise<void> {
    await pool.query({
      name: 'touch-texts',
      text: `WITH unused AS (
               SELECT id FROM texts WHERE id = ANY($1::integer[]) AND used_on < CURRENT_DATE ORDER BY id FOR NO KEY UPDATE
             )
             UPDATE texts SET used_on = CURRENT_DATE FROM unused WHERE texts.id = unused.id`,
      values: [integerArray(ids)],
    })
  }

  async function insertTexts(texts: string[]): Promise<boolean> {
    if (texts.length === 0) return false
    try {
      const { rowCount } = await pool.query({
        name: 'insert-texts',
        text: 'INSERT INTO texts (text) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING',
        values: [textArray(texts)],
      })
      room.add(rowCount ?? 0)
      return true
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== sequenceExhausted) throw error
      room.close()
      return false
    }
  }

  return {
    of,
    forget: () => numbers.clear(),
  }
}

/**
 * Returns a function that returns true once a day has passed since it last did. By both clocks: one stands still while
 * the machine sleeps, the other may be set back.
 */
function createDayTimer(): () => boolean {
  let since = { monotonic: performance.now(), wall: Date.now() }
  return () => {
    const passed = Math.max(performance.now() - since.monotonic, Date.now() - since.wall)
    if (passed < dayMs) return false
    since = { monotonic: performance.now(), wall: Date.now() }
    return true
  }
}
