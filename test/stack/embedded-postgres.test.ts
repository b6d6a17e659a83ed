import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function start(folder: string) {
  const server = await startEmbeddedPostgres({ folder })
  cleanUpLater(server.stop)
  return server
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

describe('the embedded PostgreSQL', () => {
  it('listens only on loopback, requires a password, and serves a role that is not a superuser', async () => {
    const folder = temporaryFolder()
    const server = await start(folder)
    expect(await ask(server.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
    expect(await ask(server.url, 'SHOW is_superuser')).toEqual([{ is_superuser: 'off' }])
    const wrong = new URL(server.adminUrl)
    wrong.password = ''
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toThrow(/password/)
    expect(statSync(join(folder, 'postgres-password')).mode & 0o777).toBe(0o600)
  })

  it('takes over from a server that outlived its launcher', async () => {
    const folder = temporaryFolder()
    const first = await start(folder)
    await ask(first.url, 'CREATE TABLE kept ()')
    const second = await start(folder)
    await first.exited
    expect(await ask(second.url, 'SELECT * FROM kept')).toEqual([])
  })

  it('recreates a cluster whose creation was interrupted', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'postgres.new', 'base'), { recursive: true })
    writeFileSync(join(folder, 'postgres.new', 'PG_VERSION'), '18\n')
    await start(folder)
  })

  it('starts although postmaster.pid names an unrelated process', async () => {
    const folder = temporaryFolder()
    const first = await start(folder)
    const pidFile = join(folder, 'postgres', 'postmaster.pid')
    const lines = readFileSync(pidFile, 'utf8')
    await first.stop()
    writeFileSync(pidFile, lines.replace(/^\d+/, String(process.pid)))
    await start(folder)
  })

  it('says what is wrong when the password is lost', async () => {
    const folder = temporaryFolder()
    await (await start(folder)).stop()
    rmSync(join(folder, 'postgres-password'))
    await expect(start(folder)).rejects.toThrow(/postgres-password is missing/)
  })

  it('uses the given port, even if another program has only just released it', async () => {
    const folder = temporaryFolder()
    const first = await start(folder)
    await first.stop()
    const stranger = (await import('node:net')).createServer()
    await new Promise<void>(resolve => stranger.listen(first.port, '127.0.0.1', resolve))
    setTimeout(() => stranger.close(), 1_000)
    const second = await startEmbeddedPostgres({ folder, port: first.port })
    cleanUpLater(second.stop)
    expect(second.port).toBe(first.port)
  })
})
