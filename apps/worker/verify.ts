/**
 * `pnpm verify`: compares raw visits, aggregates and ledger; prints what differs and exits 1 then.
 * `pnpm verify --repair`: rebuilds the aggregates of all days that raw visits cover first. `pnpm reclassify` is the same:
 * the rules of today for bots, link previews, browsers and referrers, applied to the visits that are there.
 */
import { ConfigurationProblems, readConfiguration } from '@hopcount/shared/configuration.ts'
import { openPool, poolConfig, waitForDatabase } from '@hopcount/shared/database/database.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { compareCounts } from './verify/compare-counts.ts'
import { maxDifferences } from './verify/difference-rows.ts'
import { repairCounts } from './verify/repair-counts.ts'

try {
  const { DATABASE_URL } = readConfiguration(process.env)
  const config = poolConfig(DATABASE_URL, {
    max: 1,
    applicationName: 'hopcount verify',
    statementTimeoutMs: 3_600_000,
  })
  // Between two statements a day's breakdowns are summed here.
  const pool = openPool({ ...config, idle_in_transaction_session_timeout: 120_000 }, () => {})
  await waitForDatabase(pool)
  if (process.argv.includes('--repair')) {
    for (const [table, rows] of Object.entries(await repairCounts(pool)))
      process.stdout.write(`${table}: ${rows} rows repaired\n`)
  }
  const differences = await compareCounts(pool)
  await pool.end()
  for (const { what, expected, found } of differences)
    process.stdout.write(`${what}: expected ${expected}, found ${found}\n`)
  process.stdout.write(
    differences.length === 0
      ? 'raw visits, aggregates and ledger agree\n'
      : `${differences.length} differences${differences.length === maxDifferences ? ' or more' : ''}\n`,
  )
  process.exitCode = differences.length === 0 ? 0 : 1
} catch (error) {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount verify: ${problem}\n`)
  process.exit(1)
}
