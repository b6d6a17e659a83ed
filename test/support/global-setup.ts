import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { endWithUs, runFolder } from './run.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's one PostgreSQL server, as superuser. */
    postgresAdminUrl: string
    /** The same server as the role that owns the test databases; the database of this URL is the template. */
    postgresTemplateUrl: string
  }
}

const parentCheckMs = 250

/** One server for the whole run, with a migrated database from which each test file gets a copy of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  endWithBootstrap()
  // For the forks and the hundreds of programs that tests start: each takes 0.35 s of CPU time less.
  process.env.NODE_COMPILE_CACHE = join(runFolder(), 'compile-cache')
  const server = await startEmbeddedPostgres({
    folder: runFolder(),
    profile: 'throwaway',
    onSpawn: endWithUs,
  })
  await migrateDatabase({ databaseUrl: server.url, redisUrl: undefined })
  await closeToSessions(server.adminUrl, new URL(server.url).pathname.slice(1))
  project.provide('postgresAdminUrl', server.adminUrl)
  project.provide('postgresTemplateUrl', server.url)
  return () => server.stop()
}

/** Under `npm test`, the end of bootstrap.mjs, even by SIGKILL, ends the run; the watchdog does the rest. */
function endWithBootstrap(): void {
  const parent = process.ppid
  if (process.env.HOPCOUNT_BOOTSTRAP !== String(parent)) return
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1)
  }, parentCheckMs).unref()
}

/** A database can be copied only while it has no sessions; those of the migration may take a moment to leave. */
async function closeToSessions(adminUrl: string, database: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  await client.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`)
  await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database])
  await client.end()
}
