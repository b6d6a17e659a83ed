/** Which client a visit belongs to, behind proxies that write addresses in many forms and proxies not configured. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Installation, RunningApi } from '../support/hopcount.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { requestBytes } from './requests.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'

async function warningsOf(api: RunningApi): Promise<string[]> {
  const ready = await fetch(`${api.origin}/readyz`).then(answer => answer.json())
  return (ready as { warnings: string[] }).warnings
}

describe('behind a proxy that TRUST_PROXY names', () => {
  let api: RunningApi
  let slug: string
  beforeAll(async () => {
    const installation: Installation = {
      databaseUrl: (await createTestDatabase()).url,
      env: { TRUST_PROXY: '127.0.0.0/8, 10.0.0.0/8' },
    }
    api = await startApi(installation)
    await startWorker(installation)
  })
  beforeEach(async () => {
    slug = await shorten(api.origin)
  })

  async function countedFrom(addresses: string[]) {
    for (const address of addresses)
      await visit(api.origin, slug, { 'x-forwarded-for': address, 'user-agent': firefox })
    await waitForVisits(api.origin, slug, addresses.length)
    const days = (await fetch(`${api.origin}/stats/${slug}/breakdowns`).then(answer => answer.json())) as {
      uniques: number
      breakdowns: { country: { value: string; visits: number }[] }
    }
    return {
      uniques: days.uniques,
      countries: days.breakdowns.country.map(({ value, visits }) => [value, visits]),
    }
  }

  test.each([
    ['ports', [1, 2, 3, 4, 5].map(n => `93.184.216.34:100${n}`), 1, 'US'],
    [
      'IPv4 mapped into IPv6',
      ['8.8.8.8', '::ffff:8.8.8.8', '[::ffff:8.8.8.8]:443', '::FFFF:808:808'],
      1,
      'US',
    ],
    [
      'brackets, zones and capitals',
      ['2001:4860:4860::8888', '[2001:4860:4860:0::8888]:80', '2001:4860:4860::8888%eth0'],
      1,
      'US',
    ],
    ['ten addresses of one /64', Array.from({ length: 10 }, (_, i) => `2001:4860:4860:7::${i}`), 1, 'US'],
    ['two networks of IPv6', ['2001:4860:4860:7::1', '2001:4860:4860:8::1'], 2, 'US'],
    ['a second proxy with its port', ['8.8.8.8, 10.0.0.7:4711', '8.8.8.8, 10.0.0.8'], 1, 'US'],
    ['private addresses', ['172.18.0.1', '192.168.1.1', '100.64.3.2', '169.254.9.9', 'fd00::7'], 5, ''],
    ['what is no address', ['unknown', '_hidden', 'garbage'], 0, ''],
  ])('%s are %s', async (_, addresses, uniques, country) => {
    expect(await countedFrom(addresses)).toEqual({ uniques, countries: [[country, addresses.length]] })
  })

  test('no warning is logged', async () => {
    expect(await warningsOf(api)).toEqual([])
  })
})

describe('behind a proxy that TRUST_PROXY does not name', () => {
  test.each([{}, { TRUST_PROXY: '10.0.0.0/8' }])('with %o, one warning says what to set', async env => {
    const api = await startApi({ databaseUrl: (await createTestDatabase()).url, env })
    const slug = await shorten(api.origin)
    await visit(api.origin, slug)
    expect(await warningsOf(api)).toEqual([])
    for (let i = 0; i < 3; i++) await visit(api.origin, slug, { 'x-forwarded-for': '8.8.8.8' })
    expect(await warningsOf(api)).toEqual([
      expect.stringContaining('X-Forwarded-For from 127.0.0.1 is ignored'),
    ])
    expect(await warningsOf(api)).toEqual([expect.stringContaining('Set TRUST_PROXY')])
    await api.process.waitForLine(/TRUST_PROXY/)
    const lines = api.process
      .output()
      .split('\n')
      .filter(line => line.includes('TRUST_PROXY'))
    expect(lines).toHaveLength(1)
    expect(api.process.output()).not.toContain('8.8.8.8')
  })
})

test.each([{}, { TRUST_PROXY: '127.0.0.0/8' }])(
  'with %o, a client that hangs up while its link is looked up does not stop the process',
  async env => {
    const { url } = await createTestDatabase()
    const toPostgres = await startTcpProxy({ port: Number(new URL(url).port) })
    const throughProxy = new URL(url)
    throughProxy.port = String(toPostgres.port)
    const api = await startApi({ databaseUrl: throughProxy.href, env })
    await openPool(url).query(`INSERT INTO links (slug, long_url) VALUES ('slow', 'https://example.com/')`)
    const lookup = toPostgres.setModeAt('slow', { delayMs: 300 })
    const socket = connect(api.port, '127.0.0.1', () => {
      socket.write(requestBytes('GET', '/slow'))
      void lookup.then(() => socket.destroy())
    })
    await lookup
    await sleep(1_000)
    await visit(api.origin, 'slow')
  },
)
