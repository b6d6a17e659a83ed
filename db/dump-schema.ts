/**
 * Writes db/schema.sql and apps/shared/database/database-types.ts from the migrations, or with --check fails if they differ.
 *
 *   pg_virtualenv -v 15 node db/dump-schema.ts [--check]
 *
 * pg_virtualenv (Debian's postgresql-common) provides an empty PostgreSQL 15 and sets PGHOST, PGPORT, PGUSER and
 * PGPASSWORD. The dump is made with the oldest supported version, which proves that the migrations run there; every
 * migration is also rolled back and applied again. The tests run them on the newest version.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resolveBinary } from 'dbmate'

const root = fileURLToPath(new URL('..', import.meta.url))
const schemaFile = join(root, 'db/schema.sql')
const typesFile = join(root, 'apps/shared/database/database-types.ts')
const databaseUrl = readDatabaseUrl()
const scratch = mkdtempSync(join(tmpdir(), 'hopcount-schema-'))
try {
  const dumped = join(scratch, 'schema.sql')
  dbmate('up')
  for (const _ of migrationsApplied()) dbmate('down')
  dbmate('up')
  dbmate('--schema-file', dumped, 'dump')
  const schema = withoutVersions(readFileSync(dumped, 'utf8'))
  const types = generateTypes(join(scratch, 'types.ts'))
  if (process.argv.includes('--check')) {
    const outdated = [
      ...(schema === readFileSync(schemaFile, 'utf8') ? [] : ['db/schema.sql']),
      ...(types === readFileSync(typesFile, 'utf8') ? [] : ['apps/shared/database/database-types.ts']),
    ]
    for (const file of outdated)
      process.stderr.write(`${file} does not match the migrations: run db/dump-schema.ts\n`)
    process.exitCode = outdated.length === 0 ? 0 : 1
  } else {
    writeFileSync(schemaFile, schema)
    writeFileSync(typesFile, types)
  }
} finally {
  rmSync(scratch, { recursive: true })
}

function readDatabaseUrl(): string {
  const { PGHOST = '127.0.0.1', PGPORT, PGUSER = '', PGPASSWORD = '' } = process.env
  if (PGPORT === undefined) throw new Error('run this under pg_virtualenv')
  return `postgres://${PGUSER}:${PGPASSWORD}@${PGHOST}:${PGPORT}/hopcount_schema?sslmode=disable`
}

function dbmate(...args: string[]): string {
  const options = ['--url', databaseUrl, '--migrations-dir', join(root, 'db/migrations')]
  if (!args.includes('dump')) options.push('--no-dump-schema')
  return execFileSync(resolveBinary(), [...options, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function migrationsApplied(): string[] {
  return dbmate('status')
    .split('\n')
    .filter(line => line.startsWith('[X]'))
}

/** Comment lines contain the versions of server and pg_dump; \restrict contains a random word. */
function withoutVersions(dump: string): string {
  return `${dump
    .split('\n')
    .filter(line => !/^(-- Dumped|\\(un)?restrict|SET transaction_timeout)/.test(line))
    .join('\n')
    .trim()}\n`
}

function generateTypes(file: string): string {
  execFileSync(
    join(root, 'node_modules/.bin/kysely-codegen'),
    [
      '--dialect',
      'postgres',
      '--url',
      databaseUrl,
      '--exclude-pattern',
      'schema_migrations',
      '--type-mapping',
      '{"int8":"number"}',
      '--date-parser',
      'string',
      '--out-file',
      file,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return readFileSync(file, 'utf8')
}
