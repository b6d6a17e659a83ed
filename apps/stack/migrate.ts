/** `npm run migrate`: brings the database that DATABASE_URL names to the newest schema, and ends. */
import { MigrationFailed, migrateDatabase } from './migrate-database.ts'

const { DATABASE_URL: databaseUrl = '', REDIS_URL: redisUrl } = process.env
if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
  fail('DATABASE_URL is not set to a URL like postgres://user:password@host:port/database')
}
try {
  await migrateDatabase({ databaseUrl, redisUrl: redisUrl || undefined })
  process.stdout.write('the database has the newest schema\n')
} catch (error) {
  if (!(error instanceof MigrationFailed)) throw error
  fail(error.message)
}

function fail(reason: string): never {
  process.stderr.write(`migrate: ${reason}\n`)
  process.exit(1)
}
