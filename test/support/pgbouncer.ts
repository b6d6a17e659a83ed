import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { cleanUpLater } from './clean-up.ts'
import { endWithUs } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait-until.ts'

export interface PgBouncer {
  /** The same database, through the pooler. */
  url: string
  kill9(): Promise<void>
  /** Starts again on the same port, after kill9. */
  restart(): Promise<void>
}

/** Debian installs it in /usr/sbin, which is not on every user's PATH. */
const binary = ['pgbouncer', '/usr/sbin/pgbouncer'].find(name => spawnSync(name, ['--version']).status === 0)

/** With HOPCOUNT_REQUIRE_REDIS=1, as in the gate, its absence is an error. */
export function pgBouncerAvailable(): boolean {
  if (binary === undefined && process.env.HOPCOUNT_REQUIRE_REDIS === '1')
    throw new Error('HOPCOUNT_REQUIRE_REDIS=1, but pgbouncer is not installed')
  return binary !== undefined
}

/** PgBouncer in transaction mode, with few connections to PostgreSQL, so that clients share them. */
export async function startPgBouncer(
  databaseUrl: string,
  settings: Record<string, string> = {},
): Promise<PgBouncer> {
  if (binary === undefined) throw new Error('pgbouncer is not installed')
  const url = new URL(databaseUrl)
  const port = await freePort()
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: '8',
    ...settings,
  }
  const database = url.pathname.slice(1)
  const target = `host=${url.hostname} port=${url.port} dbname=${database} user=${url.username} password=${decodeURIComponent(url.password)}`
  const file = join(temporaryFolder(), 'pgbouncer.ini')
  writeFileSync(
    file,
    ['[databases]', `${database} = ${target}`, '[pgbouncer]']
      .concat(Object.entries(all).map(([name, value]) => `${name} = ${value}`))
      .join('\n'),
  )
  url.port = String(port)
  let server = await launch(binary, file, url.href)

  async function kill9(): Promise<void> {
    const exited = new Promise(resolve => server.once('exit', resolve))
    if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await exited
  }

  cleanUpLater(kill9)
  return {
    url: url.href,
    kill9,
    async restart() {
      server = await launch(binary ?? '', file, url.href)
    },
  }
}

async function launch(program: string, file: string, url: string): Promise<ChildProcess> {
  // It refuses to run as root, and changes its user after it has read the file.
  const asNobody = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const server = spawn(program, ['-q', ...asNobody, file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  server.stderr.on('data', text => {
    output += text
  })
  if (server.pid !== undefined) endWithUs(server.pid)
  await waitUntil(() => accepts(url), { what: 'pgbouncer accepts connections' }).catch(error => {
    throw new Error(`${error.message}\n${output}`, { cause: error })
  })
  return server
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await client.end()
  return true
}
