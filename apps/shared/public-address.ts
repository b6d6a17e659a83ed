import { BlockList, isIPv6 } from 'node:net'

/** False for loopback, link-local, private, reserved and documentation addresses. `address`: an IPv4 or IPv6 address. */
export function isPublicAddress(address: string): boolean {
  return isIPv6(address) ? !specialIpv6.check(address, 'ipv6') : !specialIpv4.check(address, 'ipv4')
}

/**
 * The addresses that are not globally reachable according to the IANA IPv4 Special-Purpose Address Registry
 * (https://www.iana.org/assignments/iana-ipv4-special-registry), and multicast, which serves no web pages (RFC 5771).
 */
const specialIpv4 = blockList('ipv4', [
  '0.0.0.0/8', // this network, RFC 791 section 3.2
  '10.0.0.0/8', // private, RFC 1918
  '100.64.0.0/10', // shared address space of a provider, RFC 6598
  '127.0.0.0/8', // loopback, RFC 1122 section 3.2.1.3
  '169.254.0.0/16', // link-local, RFC 3927; the metadata services of clouds
  '172.16.0.0/12', // private, RFC 1918
  '192.0.0.0/24', // protocol assignments, RFC 6890 section 2.1
  '192.0.2.0/24', // documentation, RFC 5737
  '192.88.99.0/24', // 6to4 relays, deprecated, RFC 7526
  '192.168.0.0/16', // private, RFC 1918
  '198.18.0.0/15', // benchmarks, RFC 2544
  '198.51.100.0/24', // documentation, RFC 5737
  '203.0.113.0/24', // documentation, RFC 5737
  '224.0.0.0/4', // multicast, RFC 5771
  '240.0.0.0/4', // reserved and broadcast, RFC 1112 section 4, RFC 8190
])

/**
 * Global unicast addresses are allocated from 2000::/3 only (https://www.iana.org/assignments/ipv6-address-space).
 * Everything outside it is special: loopback (::1), link-local (fe80::/10), unique local (fc00::/7), multicast
 * (ff00::/8), and addresses that embed an IPv4 address, mapped (::ffff:0:0/96) or for NAT64 (64:ff9b::/96, RFC 6052),
 * even a public one, which should be written as IPv4. Inside it, those are special that the IANA IPv6 Special-Purpose
 * Address Registry (https://www.iana.org/assignments/iana-ipv6-special-registry) does not list as globally reachable.
 *
 * The lists are separate, because a BlockList also matches every IPv4 address in its mapped form.
 */
const specialIpv6 = blockList('ipv6', [
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23', // protocol assignments, RFC 2928; Teredo, which carries an IPv4 address, RFC 4380
  '2001:db8::/32', // documentation, RFC 3849
  '2002::/16', // 6to4, which carries an IPv4 address, RFC 3056; its relays are gone, RFC 7526
  '3fff::/20', // documentation, RFC 9637
])

function blockList(family: 'ipv4' | 'ipv6', subnets: `${string}/${number}`[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', prefixLength] = subnet.split('/')
    list.addSubnet(address, Number(prefixLength), family)
  }
  return list
}
