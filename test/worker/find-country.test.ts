import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lettersOf } from '../../apps/shared/letter-codes.ts'
import { openCountryFinder } from '../../apps/worker/recording/describe/find-country.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('an address has the same country whichever addresses were looked up before', async () => {
  const hosts = Array.from({ length: 256 }, (_, i) => i)
  // Networks in one country, networks across several, and neighbouring networks in different countries.
  const inNetworks = ['8.8.8', '81.2.69', '195.12.227', '217.182.54', '190.71.24'].map(
    network => (host: number) => `${network}.${host}`,
  )
  const inNeighbours = ['195.12', '91.198'].map(networks => (host: number) => `${networks}.${host}.1`)
  for (const address of [...inNetworks, ...inNeighbours]) {
    const forwards = await openCountryFinder(undefined)
    const backwards = await openCountryFinder(undefined)
    const first = hosts.map(host => forwards(address(host)))
    const second = hosts.toReversed().map(host => backwards(address(host)))
    expect(second.toReversed()).toEqual(first)
  }
})

test('countries are those in the file; non-public addresses have none', async () => {
  const find = await openCountryFinder(undefined)
  expect(find('8.8.8.8')).toBe(21 * 27 + 19)
  expect(lettersOf(find('2a00:1450:4001::1'))).toMatch(/^[a-z]{2}$/)
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '172.18.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    undefined,
  ])
    expect(find(address)).toBe(0)
})

test('a file that is not a database is refused with one line', async () => {
  const path = join(temporaryFolder(), 'countries.mmdb')
  await expect(openCountryFinder(path)).rejects.toThrow(/^GEO_DATABASE can't be read: [^\n]+$/)
  writeFileSync(path, 'not a database')
  await expect(openCountryFinder(path)).rejects.toThrow(/^GEO_DATABASE can't be read: [^\n]+$/)
})
