/** `npm run link`, beside a running API. */
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, shorten, startApi, visit } from '../../support/hopcount.ts'
import { startProcess } from '../../support/processes.ts'
import { createTestDatabase } from '../../support/test-database.ts'

let databaseUrl: string
let pool: Pool
let api: RunningApi

beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
  api = await startApi({ databaseUrl, env: { ALLOW_PRIVATE_TARGETS: 'true' } })
})

async function link(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const command = startProcess({
    script: 'apps/api/link-command.ts',
    args,
    env: { DATABASE_URL: databaseUrl },
  })
  const { code } = await command.exited
  const err = command.stderr()
  return { code, out: command.output().replace(err, ''), err }
}

async function stateOf(slug: string): Promise<string> {
  const response = await fetch(`${api.origin}/api/links/${slug}`)
  return ((await response.json()) as { state: string }).state
}

async function audit(subject: string): Promise<unknown[]> {
  const { rows } = await pool.query(
    `SELECT action, via, key_id, changes FROM audit WHERE subject = $1 AND via = 'command' ORDER BY id`,
    [subject],
  )
  return rows
}

async function shortenStatus(longUrl: string): Promise<number> {
  const response = await fetch(`${api.origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ long_url: longUrl }),
  })
  await response.arrayBuffer()
  return response.status
}

describe('links', () => {
  test('are shown, disabled and enabled by slug or short URL', async () => {
    const one = await shorten(api.origin, { title: 'A title', note: 'two\nlines', tags: ['a', 'b'] })
    const other = await shorten(api.origin)
    // Cached from now on.
    await visit(api.origin, one)
    expect(await link('disable', one, `https://hop.example/${other}?utm=x`, one)).toEqual({
      code: 0,
      out: `${one} is disabled\n${other} is disabled\n`,
      err: '',
    })
    expect([await stateOf(one), await stateOf(other)]).toEqual(['disabled', 'disabled'])
    await expect.poll(async () => (await fetch(`${api.origin}/${one}`)).status, { timeout: 10_000 }).toBe(404)
    expect(await audit(one)).toEqual([
      { action: 'link.changed', via: 'command', key_id: null, changes: { disabled: [false, true] } },
    ])
    expect((await link('enable', other)).out).toBe(`${other} is enabled, and active\n`)
    expect(await stateOf(other)).toBe('active')

    const shown = await link('show', one, 'un\u001bknown')
    expect(shown.code).toBe(1)
    expect(shown.out).toContain(
      `${one}\n  state: disabled\n  long_url: https://example.com/\n  title: A title\n  note: two\n    lines\n  tags: a, b\n`,
    )
    expect(shown.out).toMatch(/^"un\\u001bknown" is not a link$/m)
    expect(shown.out).not.toContain('\u001b')
  })

  test('and nothing is done where the arguments are wrong', async () => {
    const wrong = [
      [],
      ['takedown', 'a.example', 'b.example'],
      ['disable', 'x', '--delete'],
      ['block', 'https://a.example/'],
    ]
    for (const args of wrong)
      expect(await link(...args)).toEqual({
        code: 1,
        out: '',
        err: expect.stringMatching(/^hopcount link: (usage: |"https:)/),
      })
  })
})

describe('a takedown', () => {
  test('disables all links to a domain and those below it, and no others', async () => {
    const hit = await Promise.all([
      shorten(api.origin, { long_url: 'https://evil.example/login' }),
      shorten(api.origin, { long_url: 'http://EVIL.example.:8080/' }),
      shorten(api.origin, { long_url: 'https://a.b.evil.example/?q' }),
      shorten(api.origin, { expires_at: '2099-01-01T00:00:00Z', expired_url: 'https://evil.example/after' }),
    ])
    const spared = await Promise.all([
      shorten(api.origin, { long_url: 'https://notevil.example/' }),
      shorten(api.origin, { long_url: 'https://evil.example.org/' }),
      shorten(api.origin, { long_url: 'https://ok.example/?to=https://evil.example/' }),
      shorten(api.origin, { long_url: 'https://ok.example/', title: 'evil.example' }),
    ])
    const dry = await link('takedown', 'EVIL.example.', '--dry-run')
    expect(dry.out).toContain(`${hit[0]} https://evil.example/login\n`)
    expect(dry.out).toMatch(/^4 links to evil.example would be disabled$/m)
    expect(await stateOf(hit[0])).toBe('active')

    expect(await link('takedown', 'EVIL.example.')).toEqual({
      code: 0,
      out: '4 links to evil.example are disabled\n',
      err: '',
    })
    expect(await Promise.all(hit.map(stateOf))).toEqual(hit.map(() => 'disabled'))
    expect(await Promise.all(spared.map(stateOf))).toEqual(spared.map(() => 'active'))
    expect(await audit(hit[3])).toHaveLength(1)
    expect((await link('takedown', 'evil.example')).out).toBe('0 links to evil.example are disabled\n')
    expect(await shortenStatus('https://evil.example/again')).toBe(201)
  })

  test('finds an address in each of its spellings', async () => {
    const hit = await Promise.all(
      ['http://192.0.2.7/', 'http://0xc0000207:81/', 'http://[::ffff:192.0.2.7]/'].map(long_url =>
        shorten(api.origin, { long_url }),
      ),
    )
    await shorten(api.origin, { long_url: 'http://192.0.2.77/' })
    expect((await link('takedown', '192.0.2.7')).out).toBe('3 links to 192.0.2.7 are disabled\n')
    expect(await Promise.all(hit.map(stateOf))).toEqual(['disabled', 'disabled', 'disabled'])
  })

  test('deletes thousands of links, disabled ones too, and blocks the domain', async () => {
    await pool.query(
      `INSERT INTO links (slug, long_url, disabled_at)
       SELECT 'many-' || i, 'https://x' || i || '.bad_host.example/', CASE WHEN i % 2 = 0 THEN now() END
       FROM generate_series(1, 2500) AS i`,
    )
    const { code, out } = await link('takedown', 'bad_host.example', '--delete', '--block')
    expect([code, out]).toEqual([
      0,
      'bad_host.example is blocked: new links must not lead there\n' +
        '1000 of 2500 …\n2000 of 2500 …\n2500 of 2500 …\n2500 links to bad_host.example are deleted\n',
    ])
    const { rows } = await pool.query(
      `SELECT count(*)::int AS links, (SELECT count(*)::int FROM audit WHERE action = 'link.deleted' AND via = 'command') AS audited
       FROM links WHERE slug LIKE 'many-%' AND deleted_at IS NOT NULL`,
    )
    expect(rows).toEqual([{ links: 2500, audited: 2500 }])
    expect(await shortenStatus('https://y.bad_host.example/')).toBe(422)
  })
})

test('domains are blocked and allowed, listed, and no longer so', async () => {
  expect(await shortenStatus('https://a.first.example/')).toBe(201)
  expect((await link('block', '*.First.example', 'bücher.example')).out).toBe(
    'first.example is blocked: new links must not lead there\n' +
      'xn--bcher-kva.example is blocked: new links must not lead there\n',
  )
  await expect.poll(() => shortenStatus('https://a.first.example/'), { timeout: 10_000 }).toBe(422)
  expect((await link('domains')).out).toMatch(/^block first\.example\nblock xn--bcher-kva\.example\n/m)
  await link('allow', 'first.example')
  expect(await audit('first.example')).toEqual([
    { action: 'domain.blocked', via: 'command', key_id: null, changes: { rule: [null, 'block'] } },
    { action: 'domain.allowed', via: 'command', key_id: null, changes: { rule: ['block', 'allow'] } },
  ])
  await expect.poll(() => shortenStatus('https://a.first.example/'), { timeout: 10_000 }).toBe(201)
  expect(await shortenStatus('https://other.example/')).toBe(422)
  expect((await link('disallow', 'first.example')).out).toBe('first.example is no longer allowed\n')
  await expect.poll(() => shortenStatus('https://other.example/'), { timeout: 10_000 }).toBe(201)
  expect(await link('unblock', 'first.example')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^"first.example" was not blocked by this command/),
  })
})
