/** Requests for a link, by what is special about them. */

const browser = {
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  accept: 'text/html,application/xhtml+xml',
  'accept-language': 'de-CH,de;q=0.9,en;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
  referer: 'https://news.example/today?page=2',
  'sec-ch-ua': '"Chromium";v="140", "Brave";v="140"',
  'sec-ch-ua-platform': '"Linux"',
  cookie: 'session=1; other=2',
}

/** The head of a request, without the empty line. */
function head(path: string, headers: Record<string, string> = {}, { method = 'GET', version = '1.1' } = {}) {
  const lines = Object.entries({ host: 'hop.example', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return [`${method} ${path} HTTP/${version}`, ...lines].join('\r\n')
}

export const get =
  (headers?: Record<string, string>, line?: { method?: string; version?: string }) => (path: string) =>
    `${head(path, headers, line)}\r\n\r\n`

export interface Kind {
  /** The bytes of the requests for this path. */
  bytes: (path: string) => string
  /** Of the responses. */
  statuses: number[]
  /** The fast path takes it. */
  isFast: boolean
  /** The client ends its side with the packet. */
  ends?: boolean
}

const taken = { statuses: [307], isFast: true }
const declined = { statuses: [307], isFast: false }

export const kinds: Record<string, Kind> = {
  'no headers but Host': { bytes: get(), ...taken },
  'the headers of a browser': { bytes: get(browser), ...taken },
  'HTTP/1.0': { bytes: get({}, { version: '1.0' }), ...taken },
  'HTTP/1.0 without Host': { bytes: path => `GET ${path} HTTP/1.0\r\n\r\n`, ...taken },
  'HTTP/1.0 with keep-alive': { bytes: get({ connection: 'keep-alive' }, { version: '1.0' }), ...taken },
  'Connection: close': { bytes: get({ connection: 'close' }), ...taken },
  'Connection: Keep-Alive': { bytes: get({ connection: 'Keep-Alive' }), ...taken },
  'Connection: a list': { bytes: get({ connection: 'x-hop, close', 'x-hop': '1' }), ...taken },
  'the end of the client’s side': { bytes: get(browser), ...taken, ends: true },
  'Host in capitals with a port': { bytes: get({ host: 'HOP.example:8080' }), ...taken },
  'an empty Host': { bytes: get({ host: '' }), ...taken },
  'no Host': { bytes: path => `GET ${path} HTTP/1.1\r\n\r\n`, statuses: [400], isFast: false },
  'a Host that is none': { bytes: get({ host: 'a b' }), statuses: [400], isFast: false },
  'two Hosts': {
    bytes: path => `${head(path)}\r\nHost: hop.example\r\n\r\n`,
    statuses: [400],
    isFast: false,
  },
  'Expect: 100-continue': { bytes: get({ expect: '100-continue' }), ...taken, statuses: [100, 307] },
  'another expectation': { bytes: get({ expect: 'wonders' }), statuses: [417], isFast: false },
  Upgrade: {
    bytes: get({
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }),
    ...taken,
  },
  'Upgrade to h2c': { bytes: get({ connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' }), ...taken },
  'a body': { bytes: path => `${head(path, { 'content-length': '5' })}\r\n\r\nhello`, ...taken },
  'an empty body': { bytes: get({ 'content-length': '0', 'content-type': 'application/json' }), ...taken },
  'a body in chunks': {
    bytes: path => `${head(path, { 'transfer-encoding': 'chunked' })}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ...taken,
  },
  'a body, then another request': {
    bytes: path => `${head(path, { 'content-length': '5' })}\r\n\r\nhello${get(browser)(path)}`,
    statuses: [307, 307],
    isFast: true,
  },
  'several in one packet': {
    bytes: path => get(browser)(path).repeat(3),
    statuses: [307, 307, 307],
    isFast: true,
  },
  'one in a packet with others': {
    bytes: path => get()('/healthz') + get()(path) + get()('/unknown-slug') + get()(path),
    statuses: [200, 307, 404, 307],
    isFast: true,
  },
  'garbage behind it': {
    bytes: path => `${get()(path)}no HTTP at all\r\n\r\n`,
    statuses: [307, 400],
    isFast: true,
  },
  'Accept-Version': { bytes: get({ 'accept-version': '2.x' }), ...taken },
  'a condition and a range': { bytes: get({ 'if-none-match': '*', range: 'bytes=0-1' }), ...taken },
  'a key that is none': { bytes: get({ authorization: 'Bearer wrong', 'x-api-key': 'other' }), ...taken },
  'long headers': {
    bytes: get({ referer: `https://a.example/${'x'.repeat(6_000)}`, 'user-agent': 'y'.repeat(6_000) }),
    ...taken,
  },
  'headers beyond ASCII': {
    bytes: get({ referer: 'https://a.example/\xfc', 'user-agent': '\xe4\xf6' }),
    ...taken,
  },
  'headers twice': {
    bytes: path => `${head(path, browser)}\r\nUser-Agent: second\r\nReferer: second\r\n\r\n`,
    ...taken,
  },
  'addresses of proxies': {
    bytes: get({ 'x-forwarded-for': '8.8.8.8, 203.0.113.7:4711 , 10.0.0.9' }),
    ...taken,
  },
  'addresses in several lines': {
    bytes: path => `${head(path, { 'x-forwarded-for': '8.8.8.8' })}\r\nX-Forwarded-For: 203.0.113.8\r\n\r\n`,
    ...taken,
  },
  'no address of a proxy': { bytes: get({ 'x-forwarded-for': 'unknown' }), ...taken },
  'an empty address of a proxy': { bytes: get({ 'x-forwarded-for': ' ' }), ...taken },
  'the host of a proxy': { bytes: get({ 'x-forwarded-host': 'other.example' }), ...taken },
  'a preview of Firefox': {
    bytes: get({ 'x-firefox-ai': '1', 'user-agent': 'Mozilla/5.0 Firefox/140.0' }),
    ...taken,
  },
  'a prefetch': { bytes: get({ 'sec-purpose': 'prefetch' }), statuses: [503], isFast: false },
  HEAD: { bytes: get({}, { method: 'HEAD' }), ...declined },
  POST: { bytes: get({ 'content-length': '0' }, { method: 'POST' }), statuses: [405], isFast: false },
  'absolute form': { bytes: path => get()(`http://hop.example${path}`), ...declined },
  'a query': { bytes: path => get()(`${path}?utm_source=x`), ...declined },
  'a slash behind it': { bytes: path => get()(`${path}/`), ...declined },
  'a plus behind it': {
    bytes: path => get({ accept: 'application/json' })(`${path}+`),
    statuses: [200],
    isFast: false,
  },
  'a dot behind it': { bytes: path => get()(`${path}.`), ...declined },
}
