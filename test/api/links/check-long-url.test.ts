import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHost } from '../../../apps/api/hosts/own-hosts.ts'
import { checkLongUrl, maxHrefBytes } from '../../../apps/api/links/check-long-url.ts'

const options = {
  isOwnHost: (host: string) => ['hop.example', 'localhost:8080'].includes(host),
  allowPrivateTargets: false,
  domains: () => undefined,
}
const privateAllowed = { ...options, allowPrivateTargets: true, domains: () => undefined }

function problemOf(text: string, given = options): string | undefined {
  const result = checkLongUrl(text, given)
  return 'problem' in result ? result.problem : undefined
}

const urlOfBytes = (bytes: number) => `https://a.com/${'p'.repeat(bytes - 'https://a.com/'.length)}`
const label63 = 'a'.repeat(63)
const hostOf = (length: number) => `${label63}.${label63}.${label63}.${'a'.repeat(length - 196)}.com`

describe('a link must point to a web page', () => {
  test.each([
    ['an empty text', ''],
    ['a word', 'example'],
    ['a host without a scheme', 'example.com/page'],
    ['a javascript: URL', 'javascript:alert(1)'],
    ['a javascript: URL that looks like https', 'javascript://a.com/%0aalert(1)'],
    ['a data: URL', 'data:text/html,<script>alert(1)</script>'],
    ['a file: URL', 'file:///etc/passwd'],
    ['an ftp: URL', 'ftp://a.com/file'],
    ['a blob: URL', 'blob:https://a.com/2f1c'],
    ['a ws: URL', 'ws://a.com/'],
    ['a scheme that only begins like http', 'httpx://a.com'],
    ['a URL relative to the scheme', '//a.com'],
    ['a scheme without slashes', 'https:a.com'],
    ['a scheme with one slash', 'https:/a.com'],
    ['a scheme without a host', 'https://'],
    ['three slashes', 'http:///a.com'],
    ['a query in place of the host', 'https://?a.com'],
    ['a fragment in place of the host', 'https://#a.com'],
  ])('%s is refused', (_, text) => {
    expect(problemOf(text)).toMatch(/must begin with http/)
  })
})

describe('a link is stored as it was meant, never repaired', () => {
  test.each([
    ['a tab inside the scheme', 'java\tscript:alert(1)', /control characters/],
    ['a tab inside the host', 'https://a\t.com', /control characters/],
    ['a carriage return', 'https://a.com/\rb', /control characters/],
    ['a line feed', 'https://a.com/\nb', /control characters/],
    ['a header smuggled in behind a line break', 'https://a.com/\r\nSet-Cookie: a=b', /control characters/],
    ['a NUL', 'https://a.com/\0', /control characters/],
    ['a DEL', 'https://a.com/\x7f', /control characters/],
    ['a C1 control', 'https://a.com/\x85b', /control characters/],
    ['a line break at the end', 'https://a.com/\n', /control characters/],
    ['half of a surrogate pair in the path', 'https://a.com/\ud83d', /surrogate/],
    ['half of a surrogate pair in the host', 'https://\udca9.com', /surrogate/],
    ['half of a surrogate pair in the fragment', 'https://a.com/#\ud83d!', /surrogate/],
    ['a blank in front', ' https://a.com', /white space/],
    ['a blank at the end', 'https://a.com ', /white space/],
    ['a no-break space at the end', 'https://a.com/\u00a0', /white space/],
    ['a byte order mark in front', '\ufeffhttps://a.com', /white space/],
    ['a zero-width space at the end', 'https://a.com/\u200b', /invisible/],
    ['a word joiner at the end', 'https://a.com/b\u2060', /invisible/],
    ['a soft hyphen at the end', 'https://a.com/b\u00ad', /invisible/],
    ['a left-to-right mark at the end', 'https://a.com/b\u200e', /invisible/],
    ['a joiner that joins nothing', 'https://a.com/b\u200d', /invisible/],
    ['a variation selector behind a letter', 'https://a.com/b\ufe0f', /invisible/],
    ['a Hangul filler at the end', 'https://a.com/\u3164', /invisible/],
    ['a blank Braille pattern at the end', 'https://a.com/\u2800', /invisible/],
    ['an invisible character at the end of the query', 'https://a.com/?b=c\u200b', /invisible/],
    ['an invisible character at the end of the fragment', 'https://a.com/#b\u2060', /invisible/],
    ['a zero-width space inside the path', 'https://a.com/b\u200bc', /invisible/],
    ['a soft hyphen inside the path', 'https://a.com/exam\u00adple/', /invisible/],
    ['a zero-width space in front of the query', 'https://a.com/b\u200b?c', /invisible/],
    ['a right-to-left override in the path', 'https://a.com/b\u202ec', /invisible/],
    ['backslashes behind the scheme', 'https:\\\\a.com', /backslashes/],
    ['a backslash behind the host', 'https://a.com\\b', /backslashes/],
    ['a backslash that hides the host', 'https://evil.com\\@a.com', /backslashes/],
    ['a backslash in the path', 'https://a.com/b\\c', /backslashes/],
  ])('%s is refused', (_, text, reason) => {
    expect(problemOf(text)).toMatch(reason)
  })
})

describe('a link shows where it leads', () => {
  test.each([
    ['a user name and password', 'https://user:password@a.com', /password/],
    ['a user name', 'https://user@a.com', /password/],
    ['an empty user name', 'https://@a.com', /password/],
    ['a user name that looks like a host', 'https://bank.example:443@a.com', /password/],
    ['a soft hyphen in the host', 'https://exa\u00admple.com', /invisible/],
    ['a percent-encoded soft hyphen in the host', 'https://exa%C2%ADmple.com', /invisible/],
    ['a right-to-left override in the host', 'https://a\u202emoc.com', /invisible/],
    ['a percent-encoded right-to-left override in the host', 'https://a%E2%80%AEmoc.com', /invisible/],
    ['a left-to-right isolate in the host', 'https://a\u2066b.com', /invisible/],
    ['an Arabic letter mark in the host', 'https://a\u061cb.com', /invisible/],
    ['a zero-width space in the host', 'https://a\u200bb.com', /invisible/],
    ['a zero-width joiner between letters', 'https://a\u200db.com', /not a valid URL/],
    ['a word joiner in the host', 'https://a\u2060b.com', /invisible/],
    ['a variation selector in the host', 'https://a\ufe0fb.com', /invisible/],
    ['a byte order mark in the host', 'https://a\ufeffb.com', /invisible/],
    ['a byte order mark, percent-encoded, in front of the host', 'https://%EF%BB%BFa.com', /invisible/],
    ['a soft hyphen beside a broken percent-encoding', 'https://a%C2%AD%zz.com', /invisible|not a valid URL/],
    ['a tag character in the host', 'https://a\u{e0061}b.com', /invisible/],
  ])('%s is refused', (_, text, reason) => {
    expect(problemOf(text)).toMatch(reason)
  })
})

describe('a link has a host and a port that can exist', () => {
  test.each([
    ['a dot alone', 'https://.', /valid domain name/],
    ['two dots in a row', 'https://a..b', /valid domain name/],
    ['a dot in front', 'https://.a.com', /valid domain name/],
    ['two dots at the end', 'https://a.com..', /valid domain name/],
    ['a label of 64 characters', `https://${label63}a.com`, /valid domain name/],
    ['a host of 254 characters', `https://${hostOf(254)}`, /valid domain name/],
    ['a quote in the host', 'https://a"b.com', /valid domain name/],
    ['a template that was not filled in', 'https://{host}.com', /valid domain name/],
    ['a host of asterisks', 'https://*.example.com', /valid domain name/],
    ['invalid punycode beside an international label', 'https://xn--a.β/', /not a valid URL/],
    ['an encoded slash in the host', 'https://a%2fb.com', /not a valid URL/],
    ['an encoded NUL in the host', 'https://a%00b.com', /not a valid URL/],
    ['an encoded at sign in the host', 'https://user%40a.com', /not a valid URL/],
    ['a blank in the host', 'https://a b.com', /not a valid URL/],
    ['a broken percent-encoding in the host', 'https://a%zz.com', /not a valid URL/],
    ['percent-encoded bytes that are not UTF-8 in the host', 'https://a%ff.com', /not a valid URL/],
    ['an IPv4 address with a part over 255', 'https://1.2.3.256', /not a valid URL/],
    ['an IPv6 address without its end', 'https://[2001:4860::8888', /not a valid URL/],
    ['an IPv6 address with a zone', 'https://[fe80::1%25eth0]/', /not a valid URL/],
    ['port 0', 'https://a.com:0', /port/],
    ['port 00', 'https://a.com:00/', /port/],
    ['port 65536', 'https://a.com:65536', /port/],
    ['port 99999', 'https://a.com:99999/', /port/],
    ['a port of many digits', `https://a.com:${'9'.repeat(400)}`, /port/],
    ['a port that is a word', 'https://a.com:http', /not a valid URL/],
    ['a negative port', 'https://a.com:-1', /not a valid URL/],
    ['a URL of 2,049 bytes', urlOfBytes(maxHrefBytes + 1), /2048 bytes/],
    ['a short text whose URL is over 2,048 bytes', `https://a.com/${'é'.repeat(400)}`, /2048 bytes/],
  ])('%s is refused', (_, text, reason) => {
    expect(problemOf(text)).toMatch(reason)
  })
})

describe('a link never points to the service itself', () => {
  test.each([
    ['its own host', 'https://hop.example/abc'],
    ['its own host without a path', 'https://hop.example'],
    ['its own host over http', 'http://hop.example/abc'],
    ['its own host on the port of the other scheme', 'https://hop.example:80/abc'],
    ['its own host with a dot at the end', 'https://hop.example./abc'],
    ['its own host in capitals', 'https://HOP.EXAMPLE/abc'],
    ['its own host percent-encoded', 'https://h%6fp.ex%61mple/abc'],
    ['its own host in full-width letters', 'https://ｈｏｐ.example/abc'],
    ['its own host with an ideographic full stop', 'https://hop。example/abc'],
    ['its own host and port', 'http://localhost:8080/abc'],
    ['its own host and port with a dot at the end', 'http://localhost.:8080/abc'],
  ])('%s is refused, private targets allowed or not', (_, text) => {
    expect(problemOf(text)).toMatch(/this service itself/)
    expect(problemOf(text, privateAllowed)).toMatch(/this service itself/)
  })

  test.each([
    ['an address', '127.0.0.1:8080', 'http://127.1:8080/abc'],
    ['an IPv6 address', '[::1]:8080', 'http://[0:0:0:0:0:0:0:1]:8080/abc'],
    ['a name in capitals with a dot', 'Hop.Example.', 'https://hop.example/abc'],
    ['a name with the port of http', 'hop.example:80', 'http://hop.example/abc'],
    ['a name with the port of https', 'hop.example:443', 'https://hop.example/abc'],
    ['an international name', 'bücher.example', 'https://xn--bcher-kva.example/abc'],
  ])('it knows itself by %s', (_, ownHost, text) => {
    expect(problemOf(text, { ...privateAllowed, isOwnHost: host => host === parseHost(ownHost) })).toMatch(
      /this service itself/,
    )
  })

  test.each([
    ['a subdomain of its host', 'https://www.hop.example/'],
    ['a host that ends like its own', 'https://shop.example/'],
    ['a host that begins like its own', 'https://hop.example.com/'],
    ['another port of the host whose port is known', 'http://localhost:3000/'],
    ['another port of the host whose port is that of the scheme', 'https://hop.example:8443/app'],
  ])('%s is accepted', (_, text) => {
    expect(checkLongUrl(text, privateAllowed)).toEqual({ href: text })
  })

  test.each(['not a host', '', 'a b.example', '[::1'])('%j is no host', text => {
    expect(parseHost(text)).toBeUndefined()
  })
})

/** Each with the form in which it is stored where private targets are allowed. */
const privateTargets: [string, string, string][] = [
  ['loopback', 'http://127.0.0.1/', 'http://127.0.0.1/'],
  ['loopback in two parts', 'http://127.1/', 'http://127.0.0.1/'],
  ['loopback in hexadecimal', 'http://0x7f000001/', 'http://127.0.0.1/'],
  ['loopback in octal', 'http://0177.0.0.1/', 'http://127.0.0.1/'],
  ['loopback as one number', 'http://2130706433/', 'http://127.0.0.1/'],
  ['loopback with a dot at the end', 'http://127.0.0.1./', 'http://127.0.0.1/'],
  ['loopback percent-encoded', 'http://%31%32%37.0.0.1/', 'http://127.0.0.1/'],
  ['loopback in circled digits', 'http://①②⑦.0.0.1/', 'http://127.0.0.1/'],
  ['the end of the loopback network', 'http://127.255.255.254/', 'http://127.255.255.254/'],
  ['this host', 'http://0/', 'http://0.0.0.0/'],
  ['private network 10', 'http://10.1.2.3/', 'http://10.1.2.3/'],
  ['private network 172.16', 'http://172.31.255.255/', 'http://172.31.255.255/'],
  ['private network 192.168', 'http://192.168.0.1/', 'http://192.168.0.1/'],
  ['the network of a carrier', 'http://100.64.0.1/', 'http://100.64.0.1/'],
  [
    'link-local, where clouds keep their metadata',
    'http://169.254.169.254/latest',
    'http://169.254.169.254/latest',
  ],
  ['a protocol assignment', 'http://192.0.0.8/', 'http://192.0.0.8/'],
  ['documentation network 1', 'http://192.0.2.7/', 'http://192.0.2.7/'],
  ['documentation network 2', 'http://198.51.100.7/', 'http://198.51.100.7/'],
  ['documentation network 3', 'http://203.0.113.7/', 'http://203.0.113.7/'],
  ['a benchmark network', 'http://198.19.0.1/', 'http://198.19.0.1/'],
  ['a 6to4 relay', 'http://192.88.99.1/', 'http://192.88.99.1/'],
  ['multicast', 'http://239.1.1.1/', 'http://239.1.1.1/'],
  ['a reserved address', 'http://240.0.0.1/', 'http://240.0.0.1/'],
  ['broadcast', 'http://255.255.255.255/', 'http://255.255.255.255/'],
  ['IPv6 loopback', 'http://[::1]/', 'http://[::1]/'],
  ['IPv6 loopback written out', 'http://[0:0:0:0:0:0:0:1]/', 'http://[::1]/'],
  ['the unspecified IPv6 address', 'http://[::]/', 'http://[::]/'],
  ['IPv4-mapped loopback', 'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/'],
  ['IPv4-mapped private', 'http://[::FFFF:a00:1]/', 'http://[::ffff:a00:1]/'],
  ['IPv4-compatible loopback', 'http://[::127.0.0.1]/', 'http://[::7f00:1]/'],
  ['loopback behind NAT64', 'http://[64:ff9b::127.0.0.1]/', 'http://[64:ff9b::7f00:1]/'],
  ['local NAT64', 'http://[64:ff9b:1::a00:1]/', 'http://[64:ff9b:1::a00:1]/'],
  ['private behind 6to4', 'http://[2002:a00:1::1]/', 'http://[2002:a00:1::1]/'],
  ['loopback behind Teredo', 'http://[2001:0:1:2:3:4:80ff:fffe]/', 'http://[2001:0:1:2:3:4:80ff:fffe]/'],
  ['IPv6 link-local', 'http://[fe80::1]/', 'http://[fe80::1]/'],
  ['IPv6 site-local', 'http://[fec0::1]/', 'http://[fec0::1]/'],
  ['unique local', 'http://[fd12:3456::1]/', 'http://[fd12:3456::1]/'],
  ['IPv6 multicast', 'http://[ff0e::1]/', 'http://[ff0e::1]/'],
  ['an IPv6 address of no network', 'http://[4000::1]/', 'http://[4000::1]/'],
  ['IPv6 discard-only', 'http://[100::1]/', 'http://[100::1]/'],
  ['IPv6 documentation', 'http://[2001:db8::1]/', 'http://[2001:db8::1]/'],
  ['newer IPv6 documentation', 'http://[3fff:fff::1]/', 'http://[3fff:fff::1]/'],
  ['localhost', 'http://localhost/', 'http://localhost/'],
  ['localhost with a port', 'http://localhost:3000/', 'http://localhost:3000/'],
  ['localhost in capitals with a dot', 'http://LOCALHOST./', 'http://localhost./'],
  ['localhost percent-encoded', 'http://%6cocalhost/', 'http://localhost/'],
  ['a name under localhost', 'http://app.localhost/', 'http://app.localhost/'],
  ['localhost of a hosts file', 'http://localhost.localdomain/', 'http://localhost.localdomain/'],
  ['a name under local', 'http://printer.local/', 'http://printer.local/'],
  ['a name under internal', 'http://metadata.google.internal/', 'http://metadata.google.internal/'],
  ['a name under internal with a dot at the end', 'http://db.internal./', 'http://db.internal./'],
  ['a name of a home network', 'http://nas.home.arpa/', 'http://nas.home.arpa/'],
  ['a name under intranet', 'http://wiki.intranet/', 'http://wiki.intranet/'],
  ['a name under private', 'http://wiki.private/', 'http://wiki.private/'],
  ['a name under corp', 'http://wiki.corp/', 'http://wiki.corp/'],
  ['a name under home', 'http://wiki.home/', 'http://wiki.home/'],
  ['a name under lan', 'http://router.lan/', 'http://router.lan/'],
  ['a name without a dot', 'http://intranet/', 'http://intranet/'],
  ['a scheme written twice', 'https://https://a.com', 'https://https//a.com'],
]

describe('a link points to a public host', () => {
  test.each(privateTargets)('%s is refused', (_, text) => {
    expect(problemOf(text)).toMatch(/public host/)
  })

  test.each(privateTargets)('%s is accepted where private targets are allowed', (_, text, href) => {
    expect(checkLongUrl(text, privateAllowed)).toEqual({ href })
  })

  test.each([
    ['below private network 172.16', 'http://172.15.255.255/'],
    ['above private network 172.16', 'http://172.32.0.0/'],
    ['below the network of a carrier', 'http://100.63.255.255/'],
    ['above the network of a carrier', 'http://100.128.0.0/'],
    ['below multicast', 'http://223.255.255.254/'],
    ['the first of 1.0.0.0/8', 'http://1.0.0.0/'],
    ['an IPv6 address', 'http://[2606:4700:4700::1111]/'],
    ['an IPv6 address above the protocol assignments', 'http://[2001:200::1]/'],
    ['a domain that only has a private name in it', 'http://www.home.com/'],
    ['a name that only begins like localhost', 'http://localhost.example.com/'],
    ['a name that only ends like local', 'http://notlocal.com/'],
    ['a top-level domain that only begins like home', 'http://a.homes/'],
    ['a top-level domain that only ends like lan', 'http://a.wlan/'],
  ])('an address or name next to a private one is accepted: %s', (_, text) => {
    expect(checkLongUrl(text, options)).toEqual({ href: text })
  })
})

describe('a link is stored in the form that every client understands', () => {
  test.each([
    ['a plain page', 'https://example.com/page', 'https://example.com/page'],
    ['a host alone gets its path', 'https://example.com', 'https://example.com/'],
    [
      'scheme and host go to lower case, the path keeps its case',
      'HTTPS://Example.COM/Page',
      'https://example.com/Page',
    ],
    [
      'an international host',
      'https://bücher.example/ü?q=ü#ü',
      'https://xn--bcher-kva.example/%C3%BC?q=%C3%BC#%C3%BC',
    ],
    ['a host in Chinese', 'https://例え.テスト/', 'https://xn--r8jz45g.xn--zckzah/'],
    ['a host that is punycode already', 'https://xn--bcher-kva.example/', 'https://xn--bcher-kva.example/'],
    ['a Persian host with its joiner', 'https://نامه\u200cای.com/', 'https://xn--mgba3gch31f060k.com/'],
    ['an emoji host', 'https://💩.la/', 'https://xn--ls8h.la/'],
    ['an underscore in the host', 'https://_dmarc.a_b.com/', 'https://_dmarc.a_b.com/'],
    ['a dot at the end of the host', 'https://example.com./', 'https://example.com./'],
    ['a label of 63 characters', `https://${label63}.com/`, `https://${label63}.com/`],
    ['a host of 253 characters', `https://${hostOf(253)}/`, `https://${hostOf(253)}/`],
    ['a host of 253 characters and a dot', `https://${hostOf(253)}./`, `https://${hostOf(253)}./`],
    ['a public address', 'http://8.8.8.8/', 'http://8.8.8.8/'],
    ['port 1', 'https://example.com:1/', 'https://example.com:1/'],
    ['port 65535', 'https://example.com:65535/', 'https://example.com:65535/'],
    ['the port of its scheme is left out', 'https://example.com:443/', 'https://example.com/'],
    ['an empty port is left out', 'https://example.com:/', 'https://example.com/'],
    [
      'percent-encoded text',
      'https://example.com/a%20b%2Fc%0d?d=%00',
      'https://example.com/a%20b%2Fc%0d?d=%00',
    ],
    ['a blank in the path', 'https://example.com/a b', 'https://example.com/a%20b'],
    ['dots in the path', 'https://example.com/a/../b', 'https://example.com/b'],
    [
      'an at sign behind the host',
      'https://example.com/@user?a=b@c#d@e',
      'https://example.com/@user?a=b@c#d@e',
    ],
    ['a backslash in the query', 'https://example.com/?path=C:\\a', 'https://example.com/?path=C:%5Ca'],
    [
      'a URL inside the query',
      'https://example.com/?to=http://localhost/',
      'https://example.com/?to=http://localhost/',
    ],
    [
      'percent-encoded invisible characters',
      'https://example.com/a%E2%80%8B',
      'https://example.com/a%E2%80%8B',
    ],
    [
      'direction marks in the query',
      'https://example.com/?q=\u200fשלום',
      'https://example.com/?q=%E2%80%8F%D7%A9%D7%9C%D7%95%D7%9D',
    ],
    ['an emoji host as a phone types it', 'https://☺\ufe0f.com/', 'https://xn--74h.com/'],
    ['the same percent-encoded', 'https://%E2%98%BA%EF%B8%8F.com/', 'https://xn--74h.com/'],
    ['a heart as a phone types it', 'https://❤\ufe0f.com', 'https://xn--qei.com/'],
    ['a keycap in the host', 'https://1\ufe0f\u20e3.com/', 'https://xn--1-2sn.com/'],
    [
      'an emoji in its coloured form at the end',
      'https://example.com/☺\ufe0f',
      'https://example.com/%E2%98%BA%EF%B8%8F',
    ],
    [
      'a family of three, joined',
      'https://example.com/👨\u200d👩\u200d👧',
      'https://example.com/%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7',
    ],
    [
      'the flag of a region at the end',
      'https://example.com/\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      'https://example.com/%F0%9F%8F%B4%F3%A0%81%A7%F3%A0%81%A2%F3%A0%81%A5%F3%A0%81%AE%F3%A0%81%A7%F3%A0%81%BF',
    ],
    ['punycode that UTS 46 finds invalid', 'https://xn--a.com/', 'https://xn--a.com/'],
    [
      'punycode that decodes to a joiner alone',
      'https://xn--1ug.example.com/',
      'https://xn--1ug.example.com/',
    ],
    [
      'a long query',
      `https://example.com/?q=${'x'.repeat(2_000)}`,
      `https://example.com/?q=${'x'.repeat(2_000)}`,
    ],
    ['a URL of 2,048 bytes', urlOfBytes(maxHrefBytes), urlOfBytes(maxHrefBytes)],
    ['a percent sign that encodes nothing', 'https://example.com/100%', 'https://example.com/100%25'],
    ['an invalid percent-encoding', 'https://example.com/%zz?%#%a', 'https://example.com/%25zz?%25#%25a'],
    ['a bar in the query', 'https://example.com/?q=a|b', 'https://example.com/?q=a%7Cb'],
    [
      'everything else that is in no URI',
      'https://example.com/[a]^|?b[]={c}`|^#d|[]{}^#e',
      'https://example.com/%5Ba%5D%5E%7C?b%5B%5D=%7Bc%7D%60%7C%5E#d%7C%5B%5D%7B%7D%5E%23e',
    ],
  ])('%s', (_, text, href) => {
    expect(checkLongUrl(text, options)).toEqual({ href })
  })
})

/** Texts that come close to URLs: pieces that matter, in any order a client might put them. */
const nearlyUrl = fc
  .tuple(
    fc.constantFrom('http://', 'https://', 'HTTPS://', 'https:', 'http:/', 'https:\\\\', 'ftp://', ''),
    fc.array(
      fc.oneof(
        fc.constantFrom(
          'a',
          'com',
          'hop',
          'example',
          'localhost',
          '127',
          '0x7f',
          '.',
          '..',
          '%2e',
          '%C2%AD',
          '%41',
          '%',
        ),
        fc.constantFrom(
          '@',
          ':',
          ':80',
          ':0',
          '[',
          ']',
          '::1',
          'xn--',
          'ü',
          '\u200c',
          '\u00ad',
          '。',
          '\ud800',
          '\\',
        ),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 8 },
    ),
    fc.oneof(fc.constantFrom('', '/', '?', '#', '/..', '/%zz'), fc.string({ unit: 'binary' })),
  )
  .map(([scheme, host, rest]) => scheme + host.join('') + rest)
const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map(units => String.fromCharCode(...units))
const anyText = fc.oneof(
  { weight: 6, arbitrary: nearlyUrl },
  { weight: 2, arbitrary: fc.webUrl({ withFragments: true, withQueryParameters: true }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: codeUnits },
)

/** What RFC 3986 allows behind the scheme: appendix A, a fragment at most once, and each % with two digits. */
const uri =
  /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::\d+)?\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?(?:#(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/

describe('whatever text arrives', () => {
  test('the answer is a sentence, or an ASCII http(s) URL without credentials of at most 2,048 bytes', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, allowPrivateTargets) => {
        const result = checkLongUrl(text, { ...options, allowPrivateTargets })
        if ('problem' in result) {
          expect(result.problem).toMatch(/^long_url .+\.$/)
          return
        }
        const url = new URL(result.href)
        expect(url.href).toBe(result.href)
        expect(url.protocol).toMatch(/^https?:$/)
        expect(url.username + url.password).toBe('')
        expect(url.hostname).toMatch(/^[a-z0-9._-]+$|^\[[0-9a-f:]+\]$/)
        expect(result.href).toMatch(uri)
        expect(Buffer.byteLength(result.href)).toBeLessThanOrEqual(maxHrefBytes)
      }),
      { numRuns: 5_000 },
    )
  })

  test('what was accepted once is accepted again, unchanged', () => {
    fc.assert(
      fc.property(anyText, text => {
        const first = checkLongUrl(text, privateAllowed)
        if ('href' in first) expect(checkLongUrl(first.href, privateAllowed)).toEqual(first)
      }),
      { numRuns: 5_000 },
    )
  })

  test('no spelling of a loopback or private IPv4 address is accepted', () => {
    const part = (value: number) =>
      fc.constantFrom(
        String(value),
        `0x${value.toString(16)}`,
        `0${value.toString(8)}`,
        `%3${String(value)[0]}${String(value).slice(1)}`,
      )
    const byte = fc.nat(255)
    const network = fc.constantFrom([127], [10], [192, 168], [169, 254], [172, 16], [100, 64])
    const address = fc
      .tuple(network, byte, byte, byte)
      .map(([prefix, ...rest]) => [...prefix, ...rest].slice(0, 4))
    const spelling = address.chain(bytes => {
      const [a = 0, b = 0, c = 0, d = 0] = bytes
      return fc.oneof(
        fc.tuple(part(a), part(b), part(c), part(d)).map(parts => parts.join('.')),
        fc.tuple(part(a), part(b), part(c * 256 + d)).map(parts => parts.join('.')),
        fc.tuple(part(a), part((b * 256 + c) * 256 + d)).map(parts => parts.join('.')),
        part(((a * 256 + b) * 256 + c) * 256 + d),
        fc.constant(`[::ffff:${bytes.join('.')}]`),
        fc.constant(`[64:ff9b::${bytes.join('.')}]`),
      )
    })
    fc.assert(
      fc.property(spelling, host => {
        expect(problemOf(`http://${host}/`)).toMatch(/public host/)
      }),
    )
  })
})
