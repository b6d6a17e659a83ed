/**
 * `npm run producers`: lists the API processes that are silent, and what they have not counted.
 * `npm run producers write-off ID …`: statistics no longer wait for them. If one comes back, its visits are counted all
 * the same.
 */
import { readCommandConfiguration } from '@hopcount/shared/configuration/command-configuration.ts'
import { directDatabaseUrl } from '@hopcount/shared/configuration/configuration.ts'
import { openPool, poolConfig } from '@hopcount/shared/database/database.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import {
  describeSilent,
  silentProducers,
  writeOffProducer,
} from '@hopcount/shared/visits/silent-producers.ts'
import type { Pool } from 'pg'

await runCommand('producers', async () => {
  const [command, ...ids] = process.argv.slice(2)
  const isListing = command === undefined
  if (!isListing && (command !== 'write-off' || ids.length === 0))
    throw new Error('usage: npm run producers | npm run producers write-off ID …')
  const databaseUrl = directDatabaseUrl(readCommandConfiguration(process.env))
  const pool = openPool(
    poolConfig(databaseUrl, { max: 1, applicationName: 'hopcount producers', statementTimeoutMs: 10_000 }),
    () => {},
  )
  await (isListing ? listSilent(pool) : writeOff(pool, ids))
  await pool.end()
})

async function listSilent(pool: Pool): Promise<void> {
  const silent = await silentProducers(pool)
  for (const producer of silent) process.stdout.write(`${describeSilent(producer)}\n`)
  process.stdout.write(`${silent.length} silent\n`)
}

async function writeOff(pool: Pool, ids: string[]): Promise<void> {
  for (const id of ids) {
    const producer = await writeOffProducer(pool, id)
    if (producer === undefined) process.exitCode = 1
    // As JSON: what is not an id has come from the command line.
    process.stdout.write(
      producer === undefined
        ? `${JSON.stringify(id)} is not silent\n`
        : `${id} is written off, with ${producer.pending} visits that were not counted\n`,
    )
  }
}
