import { expect, test } from 'vitest'
import { containsStrangers, parseNetwork } from '../../apps/shared/network.ts'

test.each([
  ['10.0.0.0/8', '10.0.0.0', 8],
  [' 192.0.2.7 ', '192.0.2.7', 32],
  ['fd00::/8', 'fd00::', 8],
  ['2001:db8::7', '2001:db8::7', 128],
  ['::ffff:10.0.0.0/104', '10.0.0.0', 8],
  ['::ffff:192.0.2.7', '192.0.2.7', 32],
])('%s is a network', (text, address, prefixLength) => {
  const network = parseNetwork(text)
  expect(network).toEqual({ address, prefixLength, family: address.includes(':') ? 'ipv6' : 'ipv4' })
  expect(network && containsStrangers(network)).toBe(false)
})

test.each([
  '',
  'proxy',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  '::/129',
  '::ffff:10.0.0.0/95',
  '10.0.0',
])('%s is none', text => {
  expect(parseNetwork(text)).toBeUndefined()
})

test.each(['0.0.0.0/0', '::/0', '8.8.8.8/0', '0.0.0.0/1', '128.0.0.0/1', '2000::/3', '::ffff:0.0.0.0/96'])(
  '%s contains strangers',
  text => {
    const network = parseNetwork(text)
    expect(network && containsStrangers(network)).toBe(true)
  },
)
