import type { Pool } from 'pg'
import type { TimeBounds } from './describe/bound-times.ts'
import { createTimeBounds } from './describe/bound-times.ts'
import type { CountryFinder } from './describe/find-country.ts'
import { openCountryFinder } from './describe/find-country.ts'
import type { Salts, VisitorSalts } from './describe/visitor-salts.ts'
import { createVisitorSalts } from './describe/visitor-salts.ts'
import type { KnownDatabase } from './known-database.ts'
import { openKnownDatabase } from './known-database.ts'
import type { TextNumbers } from './number-texts.ts'
import { createTextNumbers } from './number-texts.ts'
import type { TextRoom } from './text-room.ts'
import { createTextRoom } from './text-room.ts'

/** What recording needs to describe visits, kept from one transaction to the next. */
export interface VisitKnowledge {
  /** Where all of it was read. */
  database: KnownDatabase
  texts: TextNumbers
  findCountry: CountryFinder
  salts: () => Promise<Salts>
  timeBounds: () => Promise<TimeBounds>
  /** The database has changed: what was read from it is read again. */
  forget(): Promise<void>
}

/** @param options.geoDatabase file in MaxMind's format. Undefined: the bundled one */
export async function openVisitKnowledge(
  pool: Pool,
  options: { geoDatabase?: string | undefined; textRoom?: TextRoom } = {},
): Promise<VisitKnowledge> {
  const { geoDatabase, textRoom = createTextRoom() } = options
  const database = await openKnownDatabase(pool)
  const texts = createTextNumbers(pool, database, textRoom)
  const salts: VisitorSalts = createVisitorSalts(pool, database)
  return {
    database,
    texts,
    findCountry: await openCountryFinder(geoDatabase),
    salts: salts.read,
    timeBounds: createTimeBounds(pool),
    async forget() {
      await database.read()
      texts.forget()
      salts.forget()
    },
  }
}
