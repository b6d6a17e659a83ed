import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientNetwork, normalizeAddress } from '../../apps/shared/client-address.ts'

describe('an address has one form', () => {
  test.each([
    ['93.184.216.34', '93.184.216.34'],
    ['93.184.216.34:1001', '93.184.216.34'],
    [' 93.184.216.34 ', '93.184.216.34'],
    ['"93.184.216.34:80"', '93.184.216.34'],
    ['[93.184.216.34]:80', '93.184.216.34'],
    ['::ffff:93.184.216.34', '93.184.216.34'],
    ['::FFFF:5db8:d822', '93.184.216.34'],
    ['0:0:0:0:0:ffff:5db8:d822', '93.184.216.34'],
    ['[::ffff:93.184.216.34]:443', '93.184.216.34'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::1', '::1'],
  ])('%s is %s', (text, address) => {
    expect(normalizeAddress(text)).toBe(address)
  })

  test.each([
    '',
    'unknown',
    '_hidden',
    '-',
    '1.2.3',
    '1.2.3.4.5',
    '010.1.1.1',
    '1.2.3.4:',
    '1.2.3.4:x',
    '[::1',
    '::1]',
    'g::1',
  ])('%s is none', text => {
    expect(normalizeAddress(text)).toBeUndefined()
  })

  test('any text gives a canonical address or none', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(...'0123456789abcf:.[]%"') }),
    )
    fc.assert(
      fc.property(texts, text => {
        const address = normalizeAddress(text)
        if (address !== undefined) expect(normalizeAddress(address)).toBe(address)
      }),
    )
  })
})

test('a client has an IPv4 address, or a /64', () => {
  expect(clientNetwork('93.184.216.34')).toBe('93.184.216.34')
  for (const address of ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::'])
    expect(clientNetwork(normalizeAddress(address) ?? '')).toBe('2001:db8:1:2::')
  expect(clientNetwork('2001:db8::1')).toBe('2001:db8:0:0::')
  expect(clientNetwork('::1')).toBe('0:0:0:0::')
  expect(clientNetwork('2001:db8:1:3::1')).not.toBe(clientNetwork('2001:db8:1:2::1'))
})
