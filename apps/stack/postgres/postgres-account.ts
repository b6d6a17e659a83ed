/**
 * The user that PostgreSQL runs as. It refuses to run as root, so root starts it as the system user `postgres`, which is
 * created if missing. All other users run it as themselves.
 *
 * The system user must be able to reach the data, even inside a folder that only root can enter (such as a clone in
 * /root). In that case setpriv (util-linux) gives it a capability to pass such folders, and no other.
 */
import { execFileSync, spawnSync } from 'node:child_process'

export interface PostgresAccount {
  /** The user who must own the data; undefined if it is the user of this process. */
  owner: Owner | undefined
  /** The command to spawn so that `file` runs under this account. The process id is that of `file`. */
  command(file: string, args: string[]): [file: string, args: string[]]
  spawnOptions: { uid?: number; gid?: number }
}

interface Owner {
  uid: number
  gid: number
}

const systemUser = 'postgres'

/** Throws with a clear one-line message if no account can enter `folder`. */
export function choosePostgresAccount(folder: string): PostgresAccount {
  if (process.geteuid?.() !== 0)
    return { owner: undefined, command: (file, args) => [file, args], spawnOptions: {} }
  const owner = idsOf(systemUser) ?? createSystemUser()
  // dac_read_search is sufficient and grants less; containers often have only dac_override.
  const accounts = [
    directly(owner),
    withCapability(owner, 'dac_read_search'),
    withCapability(owner, 'dac_override'),
  ]
  const account = accounts.find(account => runs(account, 'test', ['-d', `${folder}/.`]))
  if (account !== undefined) return account
  throw new Error(
    `the system user ${systemUser}, which runs the embedded PostgreSQL for root, can't enter ${folder}: ` +
      'move the project to a folder that every user can enter, or set DATABASE_URL',
  )
}

/** True if the command can be run under the account and succeeds. */
export function runs(account: PostgresAccount, file: string, args: string[]): boolean {
  const options = { ...account.spawnOptions, cwd: '/', stdio: 'ignore' } as const
  return spawnSync(...account.command(file, args), options).status === 0
}

function directly(owner: Owner): PostgresAccount {
  return { owner, command: (file, args) => [file, args], spawnOptions: owner }
}

function withCapability(owner: Owner, capability: string): PostgresAccount {
  const setpriv = [
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    `--inh-caps=+${capability}`,
    `--ambient-caps=+${capability}`,
    '--',
  ]
  return { owner, command: (file, args) => ['setpriv', [...setpriv, file, ...args]], spawnOptions: {} }
}

function idsOf(user: string): Owner | undefined {
  const id = (flag: string) => {
    const result = spawnSync('id', [flag, user], { encoding: 'utf8' })
    return result.status === 0 ? Number(result.stdout) : undefined
  }
  const [uid, gid] = [id('-u'), id('-g')]
  return uid === undefined || gid === undefined ? undefined : { uid, gid }
}

function createSystemUser(): Owner {
  try {
    execFileSync('groupadd', ['--system', '--force', systemUser], { stdio: 'ignore' })
    execFileSync(
      'useradd',
      ['--system', '--no-create-home', '--gid', systemUser, '--shell', '/usr/sbin/nologin', systemUser],
      {
        stdio: 'ignore',
      },
    )
  } catch {
    // Two starts may create it at the same time: all that matters is that it exists now.
  }
  const created = idsOf(systemUser)
  if (created !== undefined) return created
  throw new Error(
    `PostgreSQL can't run as root, and the system user ${systemUser} could not be created: ` +
      'create it, start as another user, or set DATABASE_URL',
  )
}
