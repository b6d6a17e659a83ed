/**
 * `npm run test:faults -- [--row 8] [--rounds 20] [--seed S] [--write]`: the fault matrix. Prints one line per row and
 * exits with 1 if a row fails. With `--write`, or 5 rounds or more, each row's result is written to
 * test/faults/results/faults.md when the row ends.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { cleanUp } from '../support/clean-up.ts'
import { endWithUs, runFolder } from '../support/run.ts'
import { reportLine, skippedLine, writeResults } from './report.ts'
import { rows } from './rows.ts'
import type { RowReport } from './run-row.ts'
import { reasonToSkip, runRow } from './run-row.ts'

const { values } = parseArgs({
  options: {
    row: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '2' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const wanted = new Set(values.row?.flatMap(list => list.split(',')).map(Number))
const chosen = rows.filter(row => wanted.size === 0 || wanted.has(row.number))
process.stdout.write(`seed ${values.seed}\n`)

const server = await startEmbeddedPostgres({
  folder: runFolder(),
  profile: 'throwaway',
  onSpawn: endWithUs,
})
// An interrupted run also ends what it has started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void endAll().finally(() => process.exit(130)))
let failed = false
// BullMQ's close() rejects a promise of its own while Redis is away: the row that was cut short has failed, the next ones run.
process.on('unhandledRejection', error => {
  failed = true
  process.stdout.write(`unhandled rejection: ${error instanceof Error ? error.message : String(error)}\n`)
})
try {
  await migrateDatabase({ databaseUrl: server.url, redisUrl: 'redis://elsewhere' })
  const reports: (RowReport | { row: (typeof rows)[number]; skipped: string })[] = []
  for (const row of chosen) {
    const skipped = reasonToSkip(row)
    if (skipped !== undefined) {
      reports.push({ row, skipped })
      process.stdout.write(`${skippedLine(row, skipped)}\n`)
    } else {
      const report = await runRow(row, { newDatabase, full: true, slack: 1, rounds, seed: values.seed })
      await cleanUp()
      reports.push(report)
      process.stdout.write(`${reportLine(report)}\n`)
      if (report.failures.length > 0) failed = true
    }
    if (values.write || rounds >= 5) writeResults(reports, { seed: values.seed })
  }
} finally {
  await endAll()
}
process.exit(failed ? 1 : 0)

async function endAll(): Promise<void> {
  await cleanUp().catch(() => {})
  await server.stop()
}

async function newDatabase(): Promise<string> {
  const url = new URL(server.url)
  const name = `row_${randomBytes(6).toString('hex')}`
  const client = new pg.Client({ connectionString: server.adminUrl })
  await client.connect()
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${url.pathname.slice(1)} OWNER ${url.username}`)
  await client.end()
  url.pathname = `/${name}`
  return url.href
}
