/** What a referrer's path and query tell, where a browser sends more than the host. */
import type { Source } from './channels.ts'
import { knownSource } from './known-sources.ts'
import type { ReferrerAddress } from './referrer-address.ts'
import { readReferrerAddress } from './referrer-address.ts'

/** By source: beginnings of paths that are another product of the same hosts. */
const sourcesByPath: Record<string, [path: string, source: string][]> = {
  Google: [
    ['/aclk', 'Google Ads'],
    ['/pagead', 'Google Ads'],
    ['/maps', 'Google Maps'],
    ['/mail', 'Gmail'],
    ['/calendar', 'Google Calendar'],
  ],
  Bing: [
    ['/aclick', 'Microsoft Advertising'],
    ['/aclk', 'Microsoft Advertising'],
    ['/chat', 'Copilot'],
    ['/copilotsearch', 'Copilot'],
  ],
  Yandex: [
    ['/maps', 'Yandex Maps'],
    ['/an/', 'Yandex Direct'],
    ['/alice', 'Alice'],
  ],
  Gmail: [['/chat', 'Google Chat']],
  Kagi: [['/assistant', 'Kagi Assistant']],
  Facebook: [['/messages', 'Messenger']],
  X: [['/i/grok', 'Grok']],
  VK: [['/video', 'VK Video']],
  GitHub: [['/copilot', 'GitHub Copilot']],
  'Hugging Face': [['/chat', 'HuggingChat']],
  Office: [
    ['/mail', 'Outlook'],
    ['/chat', 'Copilot'],
  ],
  Amazon: [['/gp/video', 'Prime Video']],
}

/** `google.com/url?…&source=gmail`: the product in which the link stood. */
const sourcesOfGoogle: Record<string, string> = {
  gmail: 'Gmail',
  'gmail-imap': 'Gmail',
  'gmail-html': 'Gmail',
  calendar: 'Google Calendar',
  editors: 'Google Docs',
  hangouts: 'Google Chat',
  chat: 'Google Chat',
  meet: 'Google Meet',
  maps: 'Google Maps',
}

const pathRules = new Map(
  Object.entries(sourcesByPath).map(([name, rules]) => [
    knownSource(name),
    rules.map(([path, source]) => ({ path, source: knownSource(source) })),
  ]),
)
const google = knownSource('Google')
const productsOfGoogle = new Map(
  Object.entries(sourcesOfGoogle).map(([product, name]) => [product, knownSource(name)]),
)

export function sourceOfPath(site: Source, { path, query }: ReferrerAddress): Source | undefined {
  if (path === '/') return undefined
  if (site === google && path === '/url') {
    const parameters = new URLSearchParams(query)
    return productsOfGoogle.get(parameters.get('source') ?? '')
  }
  return pathRules.get(site)?.find(rule => isBelow(path, rule.path))?.source
}

/** `/chat` and `/chat/1`, not `/chatter`. */
function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  const next = path.charAt(prefix.length)
  return prefix.endsWith('/') || next === '' || next === '/'
}

/**
 * The page behind a copy of it: AMP caches, translations. Not that behind a link wrapper (`l.facebook.com/l.php?u=…`):
 * what those wrap is the link that was clicked, here the short link itself, and where it stood is the wrapper's product.
 */
export function addressInside(address: ReferrerAddress): ReferrerAddress | undefined {
  const { host, path, query } = address
  for (const [suffix, pathPattern] of copies) {
    if (!host.endsWith(suffix)) continue
    const inPath = pathPattern?.exec(path)?.[1]
    return readHost(inPath) ?? readHost(unescapedHost(host.slice(0, -suffix.length)))
  }
  const googlePath = /^(?:www\.|m\.)?google\.[a-z.]{2,7}$/.test(host)
    ? /^\/amp\/(?:s\/)?([^/]+)/.exec(path)
    : null
  if (googlePath !== null) return readHost(googlePath[1])
  const parameter = pageParameters.find(([pattern]) => pattern.test(host))?.[1]
  const page = parameter === undefined ? null : new URLSearchParams(query).get(parameter)
  return page === null ? undefined : readReferrerAddress(page)
}

/** Hosts below these carry another host before their own, escaped in one label or as it is, and some in the path, too. */
const copies: [suffix: string, path?: RegExp][] = [
  ['.cdn.ampproject.org', /^\/(?:[a-z]\/)+(?:s\/)?([^/]+)/],
  ['.translate.goog'],
  ['.turbopages.org', /^\/(?:turbo\/)?([^/]+\.[^/]+)\/s\//],
  // Microsoft's proxy for supervised sessions: `outlook.office.com.mcas.ms`.
  ['.mcas.ms'],
  ['.bing-amp.com', /^\/(?:[a-z]\/)+(?:s\/)?([^/]+)/],
]

/** Pages whose query has the address of the page that they show. */
const pageParameters: [host: RegExp, parameter: string][] = [
  [/^translate\.google\.[a-z.]{2,7}$|^translate\.googleusercontent\.com$/, 'u'],
  [/^(?:www\.)?(?:translatetheweb|microsofttranslator)\.com$/, 'a'],
  [/^translate\.yandex\.[a-z.]{2,7}$/, 'url'],
  [/^googleweblight\.com$/, 'lite_url'],
]

/** `www-example-com` is `www.example.com`, `my--shop-example` is `my-shop.example`; a hash is no host. */
function unescapedHost(label: string): string | undefined {
  if (label.includes('.')) return label
  if (!label.includes('-')) return undefined
  return label.replaceAll('--', '\n').replaceAll('-', '.').replaceAll('\n', '-')
}

function readHost(host: string | undefined): ReferrerAddress | undefined {
  return host === undefined || !host.includes('.') ? undefined : readReferrerAddress(`https://${host}/`)
}
