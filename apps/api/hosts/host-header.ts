/**
 * Refuses requests whose Host is missing in HTTP/1.1, given twice, or no host (RFC 9112, section 3.2), as a problem
 * document; Node itself would respond without a body to the first, and ignore all but one of several.
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors/problem.ts'

/** uri-host [ ":" port ], RFC 9110 section 7.2. Without the comma that reg-name allows: no host has one. */
const hostAndPort = /^(?:[\w.~!$&'()*+;=%-]*|\[[0-9a-f:.]+\])(?::\d*)?$/i

export type HostHeaderCheck = (request: IncomingMessage) => Problem | undefined

export function refuseBadHosts(app: FastifyInstance, checkHost: HostHeaderCheck): void {
  app.addHook('onRequest', (request, _reply, done) => done(checkHost(request.raw)))
}

export function createHostHeaderCheck(): HostHeaderCheck {
  /** Nearly all requests have the same one: then the check is one comparison. */
  let lastGood: string | undefined
  return ({ headers: { host }, httpVersion, rawHeaders }) => {
    if (hostLines(rawHeaders) > 1) return new Problem(400, 'There are several Host headers.')
    if (host === undefined)
      return httpVersion === '1.0' ? undefined : new Problem(400, 'The Host header is missing.')
    if (host === lastGood) return undefined
    if (!hostAndPort.test(host)) return new Problem(400, 'The Host header is not a host.')
    lastGood = host
    return undefined
  }
}

/** `rawHeaders` has names and values in turn. Node itself keeps the first of several lines, of Host as of User-Agent. */
function hostLines(rawHeaders: string[]): number {
  let lines = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') lines++
  }
  return lines
}
