/** A cluster on disk: its folder, the secret its passwords come from, and the programs and account that run it. */
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { choosePostgresAccount } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { lastError, logSize } from './postgres-log.ts'
import type { ProgramContext } from './postgres-program.ts'
import { runProgram } from './postgres-program.ts'

export interface Cluster extends ProgramContext {
  binaries: PostgresBinaries
  dataDir: string
  profile: 'durable' | 'throwaway'
  /** The superuser's password. */
  secret: string
}

/** Opens the cluster in `folder`, creating it if it is missing. The caller is the only one that uses the folder. */
export async function openCluster(options: {
  folder: string
  profile: Cluster['profile']
  onSpawn: (pid: number) => void
}): Promise<Cluster> {
  const { folder, profile, onSpawn } = options
  mkdirSync(folder, { recursive: true })
  const account = choosePostgresAccount(folder)
  const dataDir = join(folder, 'postgres')
  const passwordFile = join(folder, 'postgres-password')
  const cluster: Cluster = {
    binaries: findPostgresBinaries(account),
    account,
    dataDir,
    logFile: join(folder, 'postgres.log'),
    profile,
    onSpawn,
    secret: readSecret(passwordFile, dataDir, account.owner),
  }
  if (!existsSync(dataDir)) await createCluster(cluster, passwordFile)
  return cluster
}

/** The secret is written before the cluster is created, so no cluster exists without one. */
function readSecret(
  passwordFile: string,
  dataDir: string,
  owner: { uid: number; gid: number } | undefined,
): string {
  if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trim()
  if (existsSync(dataDir)) {
    throw new Error(`${passwordFile} is missing: restore it, or remove ${dataDir} to start without data`)
  }
  const secret = randomBytes(24).toString('base64url')
  const draft = `${passwordFile}.new`
  writeFileSync(draft, `${secret}\n`, { mode: 0o600 })
  // initdb reads it as the account that PostgreSQL runs as.
  if (owner !== undefined) chownSync(draft, owner.uid, owner.gid)
  renameSync(draft, passwordFile)
  return secret
}

/** initdb works in a draft folder that is renamed once it is complete: a half-made cluster never has the final name. */
async function createCluster(cluster: Cluster, passwordFile: string): Promise<void> {
  const { account, dataDir, logFile } = cluster
  const draft = `${dataDir}.new`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  if (account.owner !== undefined) chownSync(draft, account.owner.uid, account.owner.gid)
  const args = ['--pgdata', draft, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  // The built-in locale sorts the same on every machine; a system locale may be missing or change with an upgrade.
  args.push('--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  if (cluster.profile === 'throwaway') args.push('--no-sync')
  const logged = logSize(logFile)
  const initdb = runProgram(cluster, cluster.binaries.initdb, args)
  await initdb.exited
  if (initdb.child.exitCode !== 0) throw new Error(`initdb failed: ${lastError(logFile, logged)}`)
  renameSync(draft, dataDir)
}
