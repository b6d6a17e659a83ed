/**
 * Each day's salt: random, made ahead (ensure_visit_partitions), and destroyed together with the day's hashes
 * (retire-visitors.ts). Salts are cached here for a minute.
 */
import { parseDay } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'

/** By day number. */
export type Salts = ReadonlyMap<number, string>

const rememberMs = 60_000

/** The returned function resolves with the salts that exist. */
export function createVisitorSalts(pool: Pool): () => Promise<Salts> {
  let salts: Salts = new Map()
  let loadedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - loadedAt > rememberMs) {
      salts = await loadSalts(pool)
      loadedAt = performance.now()
    }
    return salts
  }
}

async function loadSalts(pool: Pool): Promise<Salts> {
  const { rows } = await pool.query<{ day: string; salt: Buffer }>({
    name: 'visitor-salts',
    text: `SELECT day, salt FROM visitor_salts`,
  })
  return new Map(rows.map(row => [parseDay(row.day), row.salt.toString('hex')]))
}
