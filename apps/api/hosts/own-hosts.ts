/**
 * The hosts under which this service is reached: PUBLIC_URL, OWN_HOSTS, and once it listens, each address of this
 * machine with the port. A link to one of them would lead back here.
 */
import { networkInterfaces } from 'node:os'
import type { FastifyInstance } from 'fastify'

/** Normalized hosts. */
export type OwnHosts = ReadonlySet<string>

export function collectOwnHosts(
  app: FastifyInstance,
  given: { publicUrl: string | undefined; hosts: string[] },
): OwnHosts {
  const hosts = new Set(given.hosts.map(host => normalizeHost(new URL(`http://${host}`).host)))
  if (given.publicUrl !== undefined) hosts.add(normalizeHost(new URL(given.publicUrl).host))
  app.addHook('onListen', async () => {
    for (const listening of app.addresses()) {
      // A string would be the path of a unix socket.
      if (typeof listening === 'string') continue
      for (const name of namesOf(listening.address)) hosts.add(normalizeHost(`${name}:${listening.port}`))
    }
  })
  return hosts
}

function namesOf(address: string): string[] {
  const isLoopback = /^(127\.|::1$)/.test(address)
  const isEvery = address === '0.0.0.0' || address === '::'
  if (isLoopback) return [...new Set([bracketed(address), '127.0.0.1', '[::1]', 'localhost'])]
  if (!isEvery) return [bracketed(address)]
  const interfaces = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  return ['localhost', ...interfaces.map(({ address }) => bracketed(address))]
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** A host in that spelling, however it is written: `127.1:8080`, `BÜCHER.example`. Undefined: it is none. */
export function parseHost(text: string): string | undefined {
  const url = URL.parse(`http://${text}`)
  return url === null ? undefined : normalizeHost(url.host)
}

/**
 * One spelling of a host for comparison: without a final dot (`hop.example.`, RFC 1034 section 3.1) and without the
 * port of http or https, since behind a proxy it is unknown which of them the visitor used.
 */
export function normalizeHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/:(?:80|443)?$/, '')
    .replace(/\.(?=:|$)/, '')
}
