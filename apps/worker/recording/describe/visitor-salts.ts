/**
 * Each day's salt: random, made ahead (ensure_visit_partitions), and destroyed together with the day's hashes
 * (retire-visitors.ts). Salts are cached here for a minute.
 */
import { incarnationSql } from '@hopcount/shared/database/database-epoch.ts'
import { parseDay } from '@hopcount/shared/days.ts'
import type { Pool } from 'pg'
import type { KnownDatabase } from '../known-database.ts'

/** By day number. */
export type Salts = ReadonlyMap<number, string>

const rememberMs = 60_000

export interface VisitorSalts {
  /** The salts that exist. */
  read(): Promise<Salts>
  forget(): void
}

export function createVisitorSalts(pool: Pool, database: KnownDatabase): VisitorSalts {
  let salts: Salts = new Map()
  let loadedAt = Number.NEGATIVE_INFINITY

  async function read(): Promise<Salts> {
    if (performance.now() - loadedAt > rememberMs) {
      const incarnation = database.incarnation()
      const loaded = await loadSalts(pool)
      for (const seen of loaded.seen) database.expect(incarnation, seen)
      salts = loaded.salts
      loadedAt = performance.now()
    }
    return salts
  }

  return {
    read,
    forget() {
      loadedAt = Number.NEGATIVE_INFINITY
    },
  }
}

/** `seen`: the database that they come from. */
async function loadSalts(pool: Pool): Promise<{ salts: Salts; seen: Set<string | null> }> {
  const { rows } = await pool.query<{ day: string; salt: Buffer; seen: string | null }>({
    name: 'visitor-salts',
    text: `SELECT day, salt, ${incarnationSql} AS seen FROM visitor_salts`,
  })
  return {
    salts: new Map(rows.map(row => [parseDay(row.day), row.salt.toString('hex')])),
    seen: new Set(rows.map(row => row.seen)),
  }
}
