/**
 * `pnpm verify`: compares raw visits, aggregates and ledger; prints what differs and exits 1 then.
 * `pnpm verify --repair`: rebuilds the aggregates from the raw visits first.
 */
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import { openDatabase, poolConfig } from '@hopcount/shared/database.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { repairCounts } from './repair-counts.ts'
import { compareCounts } from './verify-counts.ts'

try {
  const { DATABASE_URL } = readConfiguration(process.env)
  const { pool } = openDatabase(
    poolConfig(DATABASE_URL, { max: 1, applicationName: 'hopcount verify', statementTimeoutMs: 3_600_000 }),
    () => {},
  )
  if (process.argv.includes('--repair')) process.stdout.write(`${await repairCounts(pool)} rows repaired\n`)
  const differences = await compareCounts(pool)
  await pool.end()
  for (const { what, expected, found } of differences) {
    process.stdout.write(`${what}: the raw visits give ${expected}, found ${found}\n`)
  }
  process.stdout.write(
    differences.length === 0
      ? 'raw visits, aggregates and ledger agree\n'
      : `${differences.length} differences\n`,
  )
  process.exitCode = differences.length === 0 ? 0 : 1
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount verify: ${problem}\n`)
  process.exit(1)
}
