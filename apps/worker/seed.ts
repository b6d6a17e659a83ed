/**
 * `npm run seed -- --links N --visits M [--days D]`: fills the database with links and visits whose counts
 * `npm run verify` confirms.
 */
import { parseArgs } from 'node:util'
import { readCommandConfiguration } from '@hopcount/shared/configuration/command-configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { waitForDatabase } from '@hopcount/shared/database/wait-for-database.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import { seedDatabase } from './seed/seed-database.ts'
import { readSeedOptions } from './seed/seed-options.ts'

await runCommand('seed', async () => {
  const options = readSeedOptions(
    parseArgs({
      options: {
        links: { type: 'string' },
        visits: { type: 'string' },
        days: { type: 'string', default: '30' },
        prefix: { type: 'string', default: 's' },
      },
    }).values,
  )
  const databaseUrl = directDatabaseUrl(readCommandConfiguration(process.env))
  const pool = openPool(
    poolConfig(databaseUrl, { max: 1, applicationName: 'hopcount seed', statementTimeoutMs: 3_600_000 }),
    () => {},
  )
  await waitForDatabase(pool)
  const startedAt = performance.now()
  const say = (text: string) => {
    const seconds = (performance.now() - startedAt) / 1_000
    process.stdout.write(`${seconds.toFixed(1).padStart(7)} s  ${text}\n`)
  }
  await seedDatabase(pool, options, say)
  await pool.end()
})
