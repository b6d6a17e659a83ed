import type { IncomingMessage } from 'node:http'
import { noteHints } from '@hopcount/shared/agents/client-hints.ts'
import type { Visit } from '@hopcount/shared/visits/visit-batch.ts'
import type { ClientAddresses } from '../client-addresses.ts'
import type { Link } from '../links/link.ts'

/** What is kept of a request that follows this link. */
export function readVisit(link: Link, request: IncomingMessage, clients: Pick<ClientAddresses, 'of'>): Visit {
  const { headers } = request
  return {
    linkId: link.id,
    referrer: headers.referer,
    userAgent: noteHints(headers),
    language: headers['accept-language'],
    address: clients.of(request),
  }
}
