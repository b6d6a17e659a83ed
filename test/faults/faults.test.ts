/** The short form of the gate's rows (gate-rows.ts): one random moment each, or one of each kind. `npm run test:faults` runs the long form. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { cleanUp } from '../support/clean-up.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { gateRows } from './gate-rows.ts'
import { reportLine } from './report.ts'
import { reasonToSkip, runRow } from './run-row.ts'

const seed = process.env.FAULTS_SEED ?? randomBytes(4).toString('hex')
/** Time limits are this many times longer, because other tests run at the same time. */
const slack = 3

afterEach(cleanUp)

describe(`faults, seed ${seed}`, () => {
  for (const row of gateRows.keys()) {
    const skipped = reasonToSkip(row)
    const name = `${row.number}: ${row.title}${skipped === undefined ? '' : ` (skipped: ${skipped})`}`
    test.skipIf(skipped !== undefined)(name, { timeout: 300_000 }, async () => {
      const report = await runRow(row, {
        newDatabase: async () => (await createTestDatabase()).url,
        full: false,
        slack,
        rounds: row.ciRounds ?? 1,
        seed,
      })
      expect(report.failures, reportLine(report)).toEqual([])
    })
  }
})
