import type { Pool } from 'pg'
import type { TimeBounds } from './bound-times.ts'
import { createTimeBounds } from './bound-times.ts'
import type { CountryFinder } from './find-country.ts'
import { openCountryFinder } from './find-country.ts'
import type { TextNumbers } from './number-texts.ts'
import { createTextNumbers } from './number-texts.ts'
import type { Salts } from './visitor-salts.ts'
import { createVisitorSalts } from './visitor-salts.ts'

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
