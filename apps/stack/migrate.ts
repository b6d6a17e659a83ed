/** `npm run migrate`: brings the database that DIRECT_DATABASE_URL or DATABASE_URL names to the newest schema, and ends. */
import { MigrationFailed, migrateDatabase } from './migrate-database.ts'

const { DATABASE_URL, DIRECT_DATABASE_URL, REDIS_URL: redisUrl } = process.env
const databaseUrl = DIRECT_DATABASE_URL || DATABASE_URL || ''
if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
  fail(
    'neither DIRECT_DATABASE_URL nor DATABASE_URL is set to a URL like postgres://user:password@host:port/database',
  )
}
try {
  await migrateDatabase({
    databaseUrl,
    redisUrl: redisUrl || undefined,
    warn: line => void process.stderr.write(`migrate: ${line}\n`),
  })
  process.stdout.write('the database has the newest schema\n')
} catch (error) {
  if (!(error instanceof MigrationFailed)) throw error
  fail(error.message)
}

function fail(reason: string): never {
  process.stderr.write(`migrate: ${reason}\n`)
  process.exit(1)
}
