/**
 * As whom PostgreSQL runs. It refuses to run as root, so root starts it as the system user `postgres`, which is made
 * where it is missing. Everybody else runs it as themselves.
 *
 * That user must reach the data, also in a folder that only root can enter (a clone in /root, the home of most fresh
 * machines). There it gets, through setpriv (util-linux), the one capability to pass closed folders.
 */
import { execFileSync, spawnSync } from 'node:child_process'

export interface PostgresAccount {
  /** Who must own the data; undefined where it is the user that runs this process. */
  owner: Owner | undefined
  /** What to spawn so that `file` runs under this account. The process id stays that of `file`. */
  command(file: string, args: string[]): [file: string, args: string[]]
  spawnOptions: { uid?: number; gid?: number }
}

interface Owner {
  uid: number
  gid: number
}

const systemUser = 'postgres'

/** Throws with one clear line where no account can be had that enters `folder`. */
export function choosePostgresAccount(folder: string): PostgresAccount {
  if (process.geteuid?.() !== 0)
    return { owner: undefined, command: (file, args) => [file, args], spawnOptions: {} }
  const owner = idsOf(systemUser) ?? createSystemUser()
  // dac_read_search is enough and the smaller one; containers often have only dac_override.
  const accounts = [
    directly(owner),
    withCapability(owner, 'dac_read_search'),
    withCapability(owner, 'dac_override'),
  ]
  const account = accounts.find(account => runs(account, 'test', ['-d', `${folder}/.`]))
  if (account !== undefined) return account
  throw new Error(
    `the system user ${systemUser}, as whom root runs the embedded PostgreSQL, can't enter ${folder}: ` +
      'put the project into a folder that every user can enter, or set DATABASE_URL',
  )
}

/** True where the command runs under the account and succeeds. */
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
    // Two starts may create it at the same time: what counts is whether it is there now.
  }
  const created = idsOf(systemUser)
  if (created !== undefined) return created
  throw new Error(
    `PostgreSQL does not run as root, and the system user ${systemUser} could not be created: ` +
      'create it, start as another user, or set DATABASE_URL',
  )
}
