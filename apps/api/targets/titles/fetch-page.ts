/**
 * Fetches the beginning of a web page whose URL a stranger chose, from a machine that may reach networks which the
 * stranger can't (server-side request forgery).
 *
 * Every URL on the way is checked as a new link's target would be: scheme, credentials, private, own and blocked hosts.
 * Names are resolved here, once; unless all of a name's addresses are public there is no connection, and it is made to
 * these addresses, so what the name resolves to a moment later doesn't matter (DNS rebinding). No proxy of the
 * environment is used, which would resolve the name again. Nothing is sent that is known of the operator or the visitor.
 */
import { Resolver } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from '@hopcount/shared/public-address.ts'
import type { LongUrlOptions } from '../../links/check-long-url.ts'
import { checkLongUrl } from '../../links/check-long-url.ts'

export interface Page {
  /** The first `maxBytes`, or less. */
  bytes: Buffer
  contentType: string
}

export type ResolveHost = (hostname: string, signal: AbortSignal) => Promise<string[]>

export interface FetchOptions {
  /** What links may lead to at this moment. */
  targets: LongUrlOptions
  resolve?: ResolveHost
  signal: AbortSignal
}

const maxRedirects = 3
const maxBytes = 64 * 1024
const userAgent = 'Mozilla/5.0 (compatible; HopcountBot/1.0; reads the title of a page that was linked to)'

// Own agents: the global ones may use a proxy of the environment (NODE_USE_ENV_PROXY).
const agents = { http: new HttpAgent(), https: new HttpsAgent() }

/** Undefined: there is no HTML page, or it may not be fetched. Rejects if the connection fails, or `signal` says so. */
export async function fetchPage(start: string, options: FetchOptions): Promise<Page | undefined> {
  let url = start
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const checked = checkLongUrl(url, options.targets)
    if ('problem' in checked || !hasUsualPort(checked.href, options.targets)) return undefined
    const response = await send(new URL(checked.href), options)
    try {
      const { location } = response.headers
      if (!isRedirect(response.statusCode) || location === undefined) return await readPage(response)
      const next = URL.parse(location, checked.href)
      if (next === null) return undefined
      url = next.href
    } finally {
      response.destroy()
    }
  }
  return undefined
}

/** Another port is more likely to be a service of the machine than a page. */
function hasUsualPort(href: string, { allowPrivateTargets }: LongUrlOptions): boolean {
  return allowPrivateTargets || new URL(href).port === ''
}

function isRedirect(status: number | undefined): boolean {
  return status !== undefined && [301, 302, 303, 307, 308].includes(status)
}

function send(url: URL, options: FetchOptions): Promise<IncomingMessage> {
  const { targets, signal, resolve = resolveHost } = options
  const lookup: LookupFunction = (hostname, { all }, callback) => {
    findAddresses(hostname, resolve, targets, signal).then(
      addresses => {
        const [first] = addresses
        if (all) callback(null, addresses)
        else callback(null, first?.address ?? '', first?.family)
      },
      (error: Error) => callback(error, []),
    )
  }
  const [request, agent] =
    url.protocol === 'https:' ? [httpsRequest, agents.https] : [httpRequest, agents.http]
  return new Promise((resolve, reject) => {
    request(url, {
      agent,
      lookup,
      signal,
      maxHeaderSize: 16 * 1024,
      headers: {
        'user-agent': userAgent,
        accept: 'text/html',
        'accept-encoding': 'identity',
        connection: 'close',
      },
    })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })
}

/** Not called for a host that is an address itself, which checkLongUrl has checked. */
async function findAddresses(
  hostname: string,
  resolve: ResolveHost,
  { allowPrivateTargets }: LongUrlOptions,
  signal: AbortSignal,
): Promise<{ address: string; family: number }[]> {
  const addresses = await resolve(hostname, signal)
  if (addresses.length === 0) throw new Error('the name has no address')
  if (!allowPrivateTargets && !addresses.every(isPublicAddress))
    throw new Error('the name leads to an address that is not public')
  return addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
}

/**
 * By c-ares, which only asks name servers: what the system's own resolver would find in /etc/hosts is private, and it
 * would occupy a thread of the pool that writes the spool, for longer than anybody waits.
 */
async function resolveHost(hostname: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver({ timeout: 1_500, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel)
  try {
    const found = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    return found.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

async function readPage(response: IncomingMessage): Promise<Page | undefined> {
  const { 'content-type': contentType = '', 'content-encoding': encoding = 'identity' } = response.headers
  if (response.statusCode !== 200 || encoding !== 'identity' || !/^text\/html\s*(;|$)/i.test(contentType))
    return undefined
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= maxBytes || chunk.includes('</title')) break
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), contentType }
}
