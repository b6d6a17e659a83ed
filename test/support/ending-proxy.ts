/** A PostgreSQL that ends connections at the worst moment: with the very bytes that make them ready. */
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { cleanUpLater } from './clean-up.ts'

export interface EndingProxy {
  url: string
  /** New connections whose application name contains this text are ended as soon as they are ready; undefined: none. */
  end(applicationName: string | undefined): void
  /** How many were ended that way. */
  ended(): number
  /** Ends the open ones. */
  cutConnections(): void
}

export async function startEndingProxy(databaseUrl: string): Promise<EndingProxy> {
  const url = new URL(databaseUrl)
  const target = { host: url.hostname, port: Number(url.port) }
  let doomed: string | undefined
  let ended = 0
  const clients = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(target)
    let isDoomed = false
    let isReady = false
    client.once('data', startup => {
      isDoomed = doomed !== undefined && startup.toString('latin1').includes(doomed)
    })
    client.on('data', bytes => upstream.write(bytes))
    upstream.on('data', (bytes: Buffer) => {
      if (isReady) return
      if (!isDoomed || !bytes.subarray(-readyForQuery.length).equals(readyForQuery)) {
        client.write(bytes)
        return
      }
      isReady = true
      ended++
      client.end(Buffer.concat([bytes, terminated]))
      upstream.destroy()
    })
    for (const socket of [client, upstream]) socket.on('error', () => {})
    clients.add(client)
    client.on('close', () => {
      clients.delete(client)
      upstream.destroy()
    })
    upstream.on('close', () => client.end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  cleanUpLater(() => server.close())
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    end(applicationName) {
      doomed = applicationName
    },
    ended: () => ended,
    cutConnections() {
      for (const client of clients) client.destroy()
    },
  }
}

/** ReadyForQuery, idle. https://www.postgresql.org/docs/current/protocol-message-formats.html */
const readyForQuery = Buffer.from('Z\0\0\0\u0005I', 'latin1')
const terminated = errorResponse({
  S: 'FATAL',
  V: 'FATAL',
  C: '57P01',
  M: 'terminating connection due to administrator command',
})

function errorResponse(fields: Record<string, string>): Buffer {
  const body = Object.entries(fields)
    .map(([type, value]) => `${type}${value}\0`)
    .join('')
  const head = Buffer.from('E\0\0\0\0', 'latin1')
  head.writeInt32BE(4 + body.length + 1, 1)
  return Buffer.concat([head, Buffer.from(`${body}\0`, 'latin1')])
}
