/**
 * `npm run verify`: compares raw visits, aggregates and ledger, prints the differences, and exits 1 if there are any. What is
 * set aside is listed, and makes no difference: it is counted nowhere.
 * `npm run verify -- --repair`: first rebuilds the aggregates of all days whose raw visits are kept. `npm run reclassify`
 * does the same: it applies today's rules for bots, link previews, browsers and referrers to past visits.
 */
import { readCommandConfiguration } from '@hopcount/shared/configuration/command-configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool } from '@hopcount/shared/database/database.ts'
import { waitForDatabase } from '@hopcount/shared/database/wait-for-database.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import { describeSilent, silentProducers } from '@hopcount/shared/visits/silent-producers.ts'
import { recountPoolConfig } from './recount/recount-pool.ts'
import { reportSetAside } from './set-aside/report-set-aside.ts'
import { compareCounts } from './verify/compare-counts.ts'
import { maxDifferences } from './verify/difference-rows.ts'
import { repairCounts } from './verify/repair-counts.ts'

await runCommand('verify', async () => {
  const configuration = readCommandConfiguration(process.env)
  const config = recountPoolConfig(directDatabaseUrl(configuration), 'hopcount verify')
  const pool = openPool(config, () => {})
  await waitForDatabase(pool)
  if (process.argv.includes('--repair')) {
    for (const [table, rows] of Object.entries(await repairCounts(pool)))
      process.stdout.write(`${table}: ${rows} rows repaired\n`)
  }
  for (const producer of await silentProducers(pool)) process.stdout.write(`${describeSilent(producer)}\n`)
  for (const line of await reportSetAside(pool, configuration)) process.stdout.write(`${line}\n`)
  const differences = await compareCounts(pool)
  await pool.end()
  for (const { what, expected, found } of differences)
    process.stdout.write(`${what}: expected ${expected}, found ${found}\n`)
  process.stdout.write(
    differences.length === 0
      ? 'raw visits, aggregates and ledger agree\n'
      : `${differences.length} differences${differences.length === maxDifferences ? ' or more' : ''}. After an upgrade they may be new rules for user agents and referrers: npm run reclassify applies these to the visits that are kept\n`,
  )
  process.exitCode = differences.length === 0 ? 0 : 1
})
