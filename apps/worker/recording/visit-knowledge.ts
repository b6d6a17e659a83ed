import type { Pool } from 'pg'
import type { TimeBounds } from './describe/bound-times.ts'
import { createTimeBounds } from './describe/bound-times.ts'
import type { CountryFinder } from './describe/find-country.ts'
import { openCountryFinder } from './describe/find-country.ts'
import type { Salts } from './describe/visitor-salts.ts'
import { createVisitorSalts } from './describe/visitor-salts.ts'
import type { TextNumbers } from './number-texts.ts'
import { createTextNumbers } from './number-texts.ts'

/** What recording needs to describe visits, kept from one transaction to the next. */
export interface VisitKnowledge {
  texts: TextNumbers
  findCountry: CountryFinder
  salts: () => Promise<Salts>
  timeBounds: () => Promise<TimeBounds>
}

/** @param geoDatabase file in MaxMind's format. Undefined: the bundled one */
export async function openVisitKnowledge(pool: Pool, geoDatabase?: string): Promise<VisitKnowledge> {
  return {
    texts: createTextNumbers(pool),
    findCountry: await openCountryFinder(geoDatabase),
    salts: createVisitorSalts(pool),
    timeBounds: createTimeBounds(pool),
  }
}
