/** Domains that links may not lead to: which spellings of a host and of a rule are one, and where rules come from. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkLongUrl } from '../../../apps/api/links/check-long-url.ts'
import { removeDomainRule, setDomainRule } from '../../../apps/api/targets/domain-queries.ts'
import { createDomainRules } from '../../../apps/api/targets/domain-rules.ts'
import { readDomainFile } from '../../../apps/api/targets/read-domain-file.ts'
import { parseDomain } from '../../../apps/shared/domain-names.ts'
import type { RunningApi } from '../../support/hopcount.ts'
import { openPool, startApi } from '../../support/hopcount.ts'
import { startProcess } from '../../support/processes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { waitUntil } from '../../support/wait-until.ts'

let databaseUrl: string
let pool: Pool
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  pool = openPool(databaseUrl)
})

function write(text: string | Buffer): string {
  const path = join(temporaryFolder(), 'domains')
  writeFileSync(path, text)
  return path
}

describe('a domain is read as', () => {
  test.each([
    ['evil.example', 'evil.example'],
    [' EVIL.Example. ', 'evil.example'],
    ['*.evil.example', 'evil.example'],
    ['.evil.example', 'evil.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER。example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['_dmarc.evil.example', '_dmarc.evil.example'],
    ['zip', 'zip'],
    ['192.0.2.1', '192.0.2.1'],
    ['0xC0000201', '192.0.2.1'],
    ['192.0.513', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
  ])('%j → %s', (text, domain) => {
    expect(parseDomain(text)).toBe(domain)
  })

  test.each([
    ['', '.', '*.', 'a..b', 'evil.example:8080', '[::1]:80', 'https://evil.example', 'evil.example/x', 'a b'],
    [
      'user@evil.example',
      'ev%69l.example',
      `${'a'.repeat(64)}.example`,
      'a*b.example',
      '1.2.3.4.5',
      '||a.b^',
    ],
  ])('none', (...texts) => {
    for (const text of texts) expect(parseDomain(text), text).toBeUndefined()
  })
})

describe('a target', () => {
  async function check(url: string, given: { blocked?: string[]; allowed?: string[] }) {
    const rules = createDomainRules({ pool, blocked: [], allowed: [], file: undefined, ...given })
    return checkLongUrl(url, {
      isOwnHost: () => false,
      allowPrivateTargets: true,
      domains: await rules.current(),
    })
  }

  test.each([
    ['http://evil.example/', 'evil.example'],
    ['https://www.evil.example:8443/path?q#f', 'evil.example'],
    ['https://a.b.c.EVIL.example./', '*.evil.example'],
    ['https://xn--bcher-kva.example/', 'bücher.example'],
    ['https://login.BÜCHER.example/', 'xn--bcher-kva.example'],
    ['https://any.zip/', 'zip'],
    ['http://3221225985/', '192.0.2.1'],
    ['http://0xc0.0.0x2.1:81/', '192.0.2.1'],
    ['http://[::ffff:192.0.2.1]/', '192.0.2.1'],
    ['http://[2001:db8:0::1]/', '2001:DB8::1'],
  ])(
    '%s is refused where %s is blocked, and accepted where it is the only one allowed',
    async (url, domain) => {
      expect(await check(url, { blocked: ['other.example', domain] })).toEqual({
        problem: 'long_url must not point to this domain: links to it are not allowed here.',
      })
      expect(await check(url, { allowed: ['other.example', domain] })).toHaveProperty('href')
    },
  )

  test.each([
    ['https://notevil.example/', 'evil.example'],
    ['https://evil.example.org/', 'evil.example'],
    ['https://example/', 'evil.example'],
    ['https://ok.example/?to=evil.example', 'evil.example'],
    ['http://192.0.2.11/', '192.0.2.1'],
    ['http://192.0.2.1/', '2.1'],
  ])('%s is not the domain %s', async (url, domain) => {
    expect(await check(url, { blocked: [domain] })).toHaveProperty('href')
    expect(await check(url, { allowed: [domain] })).toEqual({
      problem: 'long_url must point to one of the domains that are allowed here.',
    })
  })

  test('is refused where its domain is blocked inside an allowed one', async () => {
    const given = { blocked: ['bad.example.com'], allowed: ['example.com'] }
    expect(await check('https://example.com/', given)).toHaveProperty('href')
    expect(await check('https://x.bad.example.com/', given)).toHaveProperty('problem')
  })
})

describe('a file of domains', () => {
  test('may be a plain list or one in the format of /etc/hosts, from any system', async () => {
    const { domains, unreadableLines, firstUnreadable } = await readDomainFile(
      write(
        '\uFEFFfirst.example\r\n# a comment\r\n! another\r\n\r\n0.0.0.0 hosts.example\r\n' +
          '127.0.0.1\tLocalhost tab.example TWO.example # behind it\n::1 ip6-localhost ip6-loopback\n' +
          'fe80::1%lo0 localhost\n255.255.255.255 broadcasthost\n0.0.0.0 0.0.0.0\n*.wild.example\n' +
          'bücher.example\n  blank.example  \nnot a domain\nhttps://url.example/\n192.0.2.7\nlast.example',
      ),
    )
    const listed = ['first', 'hosts', 'tab', 'two', 'wild', 'xn--bcher-kva', 'blank', 'last']
    for (const name of listed) expect(domains.has(`${name}.example`), name).toBe(true)
    expect(domains.has('192.0.2.7')).toBe(true)
    for (const name of ['localhost', 'broadcasthost', '0.0.0.0', 'url.example', 'not'])
      expect(domains.has(name), name).toBe(false)
    expect([domains.size, unreadableLines, firstUnreadable]).toEqual([listed.length + 1, 2, 14])
  })

  test('may have half a million lines', async () => {
    const names = Array.from({ length: 500_000 }, (_, i) => `host-${i.toString(36)}.list${i % 97}.example`)
    const { domains } = await readDomainFile(write(names.map(name => `0.0.0.0 ${name}\n`).join('')))
    expect(domains.size).toBe(500_000)
    for (let i = 0; i < names.length; i += 997) expect(domains.has(names[i] ?? '')).toBe(true)
    for (let i = 0; i < 1_000; i++) expect(domains.has(`host-${i}.list98.example`)).toBe(false)
  })

  test('of another kind, or that is a folder, is refused', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256))
    await expect(readDomainFile(write(bytes))).rejects.toThrow(/names no domain/)
    await expect(readDomainFile(temporaryFolder())).rejects.toThrow(/is not a file/)
  })

  test('that is missing is a configuration problem at the start', async () => {
    const api = startProcess({
      script: 'apps/api/main.ts',
      env: {
        DATABASE_URL: databaseUrl,
        SPOOL_DIR: temporaryFolder(),
        BLOCKED_DOMAINS_FILE: join(temporaryFolder(), 'missing'),
      },
    })
    expect((await api.exited).code).toBe(1)
    expect(api.stderr()).toMatch(/^hopcount api: BLOCKED_DOMAINS_FILE can't be read: .*\n$/)
  })
})

describe('a running service', () => {
  let one: RunningApi
  let other: RunningApi
  let path: string
  beforeAll(async () => {
    path = write('from-file.example\n')
    const env = { BLOCKED_DOMAINS: 'from-setting.example, 192.0.2.9', BLOCKED_DOMAINS_FILE: path }
    ;[one, other] = await Promise.all([startApi({ databaseUrl, env }), startApi({ databaseUrl, env })])
  })

  async function post(
    { origin }: RunningApi,
    longUrl: string,
  ): Promise<{ status: number; errors?: unknown }> {
    const response = await fetch(`${origin}/shorten`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ long_url: longUrl }),
    })
    return { ...((await response.json()) as object), status: response.status }
  }

  async function becomes(status: number, longUrl: string): Promise<void> {
    for (const api of [one, other])
      await waitUntil(async () => (await post(api, longUrl)).status === status, {
        what: `${longUrl} gets ${status}`,
      })
  }

  test('refuses targets on domains that a setting or the file names', async () => {
    for (const url of ['https://a.from-setting.example/', 'https://from-file.example/x'])
      expect(await post(one, url)).toMatchObject({ status: 422, errors: [{ pointer: '#/long_url' }] })
    expect((await post(one, 'https://example.com/')).status).toBe(201)
  })

  test('follows the table without a restart', async () => {
    const url = 'https://www.from-table.example/'
    expect((await post(one, url)).status).toBe(201)
    await setDomainRule(pool, 'from-table.example', 'block')
    await becomes(422, url)
    await removeDomainRule(pool, 'from-table.example', 'block')
    await becomes(201, url)
    await setDomainRule(pool, 'only.example', 'allow')
    await becomes(422, url)
    expect((await post(one, 'https://only.example/')).status).toBe(201)
    await removeDomainRule(pool, 'only.example', 'allow')
    await becomes(201, url)
  })

  test('follows the file, and keeps what it had while the file is unreadable', async () => {
    const next = `${path}.next`
    writeFileSync(next, 'from-next.example\n')
    renameSync(next, path)
    await becomes(422, 'https://from-next.example/')
    await becomes(201, 'https://from-file.example/')
    renameSync(path, next)
    mkdirSync(path)
    await one.process.waitForLine(/reading BLOCKED_DOMAINS_FILE.*is failing/)
    expect((await post(one, 'https://from-next.example/')).status).toBe(422)
  })
})
