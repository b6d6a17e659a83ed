/** A PostgreSQL server with a replica that replays as late as a test says. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { cleanUpLater } from './clean-up.ts'
import { endWithUs } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface LaggingReplica {
  primaryUrl: string
  replicaUrl: string
  /** From now on each commit is replayed this much later than it was made; 0: at once. */
  setLag(milliseconds: number): Promise<void>
}

export async function startLaggingReplica(): Promise<LaggingReplica> {
  const folder = temporaryFolder()
  const source = await startEmbeddedPostgres({ folder, onSpawn: endWithUs })
  const { port } = source
  await migrateDatabase({ databaseUrl: source.url, redisUrl: undefined })
  await source.stop()
  const copy = temporaryFolder()
  // With its owner, who runs the server. The servers have the same passwords.
  execFileSync('cp', ['-a', `${folder}/.`, copy])
  const { username, password } = new URL(source.adminUrl)
  const data = join(copy, 'postgres')
  appendFileSync(
    join(data, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${port} user=${username} password=${password}'\n`,
  )
  writeFileSync(join(data, 'standby.signal'), '')
  const primary = await startEmbeddedPostgres({ folder, port, onSpawn: endWithUs })
  cleanUpLater(() => primary.stop())
  const replica = await startEmbeddedPostgres({ folder: copy, onSpawn: endWithUs })
  cleanUpLater(() => replica.stop())

  async function setLag(milliseconds: number): Promise<void> {
    const client = new pg.Client({ connectionString: replica.adminUrl })
    client.on('error', () => {})
    await client.connect()
    await client.query(`ALTER SYSTEM SET recovery_min_apply_delay = ${milliseconds}`)
    await client.query('SELECT pg_reload_conf()')
    await client.end()
  }

  return { primaryUrl: primary.url, replicaUrl: replica.url, setLag }
}
