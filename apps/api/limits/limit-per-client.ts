/**
 * Limits how many responses that last long (live counts, exports) one client address has open at a time (IPv6: per /64), so
 * that nobody takes all of them. As with rate limits, clients on this machine have no limit.
 */
import { clientNetwork } from '@hopcount/shared/client-address.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ClientAddresses } from '../client-addresses.ts'
import { isLocalClient } from '../client-addresses.ts'
import { Problem } from '../errors/problem.ts'

/** Counts the response until it is closed. Throws a Problem (429) where the client has too many. */
export type LimitPerClient = (request: FastifyRequest, reply: FastifyReply) => void

export function limitPerClient(
  clients: Pick<ClientAddresses, 'of'>,
  { max, refusal }: { max: number; refusal: string },
): LimitPerClient {
  const open = new Map<string, number>()

  return (request, { raw: response }) => {
    // A response that is destroyed will not be closed again.
    if (isLocalClient(request) || response.destroyed) return
    const client = clientNetwork(clients.of(request.raw) ?? request.socket.remoteAddress ?? '')
    const before = open.get(client) ?? 0
    if (before >= max) throw new Problem(429, refusal, { headers: { 'retry-after': '10' } })
    open.set(client, before + 1)
    response.once('close', () => {
      const left = (open.get(client) ?? 0) - 1
      if (left > 0) open.set(client, left)
      else open.delete(client)
    })
  }
}
