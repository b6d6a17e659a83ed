import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { cleanUpLater } from './clean-up.ts'

export interface TestDatabase {
  url: string
  /** Ends all sessions and drops it; done after the test file in any case. */
  drop(): Promise<void>
}

/** A migrated database of the test file's own, on the run's one server (which no test may stop: see startPostgres). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const url = new URL(inject('postgresTemplateUrl'))
  const template = url.pathname.slice(1)
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${url.username}`)
  const drop = () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  cleanUpLater(drop)
  url.pathname = `/${name}`
  return { url: url.href, drop }
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresAdminUrl') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
