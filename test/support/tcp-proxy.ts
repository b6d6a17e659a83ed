/** A TCP proxy that fails in the ways a network does. The mode applies to open and new connections. */

import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { cleanUpLater } from './clean-up.ts'

export type ProxyMode =
  | 'pass'
  /** Accepts connections but forwards nothing; data received meanwhile is lost. */
  | 'black-hole'
  /** Resets open connections and every new one. */
  | 'reset'
  /** Requests arrive, replies don't. */
  | 'drop-replies'
  /** Everything arrives, delayed by this much in each direction. */
  | { delayMs: number }

export interface TcpProxy {
  port: number
  setMode(mode: ProxyMode): void
  /**
   * Changes the mode, once, when a request arrives that contains this text (within one chunk), before the request is
   * forwarded. The promise resolves then.
   */
  setModeAt(text: string, mode: ProxyMode): Promise<void>
  /** Where new connections lead from now on. */
  setTarget(port: number): void
  /** Ends the open connections; new ones are served according to the mode. */
  cutConnections(): void
  /** The open connections stay open and forward nothing any more; new ones are served according to the mode. */
  abandonConnections(): void
  close(): Promise<void>
}

export async function startTcpProxy(target: { host?: string; port: number }): Promise<TcpProxy> {
  let mode: ProxyMode = 'pass'
  let targetPort = target.port
  let armed: { text: string; mode: ProxyMode; sprung: () => void } | undefined
  const sockets = new Set<Socket>()
  const abandoned = new WeakSet<Socket>()
  const server = createServer({ allowHalfOpen: true }, client => {
    if (mode === 'reset') {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: target.host ?? '127.0.0.1', port: targetPort, allowHalfOpen: true })
    forward(client, upstream, 'request')
    forward(upstream, client, 'reply')
  })

  function forward(from: Socket, to: Socket, direction: 'request' | 'reply'): void {
    sockets.add(from.setNoDelay())
    // Timers with the same delay fire in the order they were set, so chunks stay in order, and the end is last.
    const pass = (send: () => void) => {
      if (abandoned.has(from) || mode === 'black-hole' || (mode === 'drop-replies' && direction === 'reply'))
        return
      if (typeof mode === 'object') setTimeout(send, mode.delayMs)
      else send()
    }
    from.on('data', (chunk: Buffer) => {
      if (direction === 'request') spring(chunk)
      pass(() => to.write(chunk))
    })
    from.on('end', () => pass(() => to.end()))
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => sockets.delete(from))
  }

  function spring(chunk: Buffer): void {
    if (armed === undefined || !chunk.includes(armed.text)) return
    const { mode, sprung } = armed
    armed = undefined
    setMode(mode)
    sprung()
  }

  function setMode(next: ProxyMode): void {
    mode = next
    if (mode === 'reset') cutConnections()
  }

  function cutConnections(): void {
    for (const socket of sockets) socket.resetAndDestroy()
  }

  async function close(): Promise<void> {
    cutConnections()
    await new Promise<void>(resolve => server.close(() => resolve()))
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  cleanUpLater(close)
  return {
    port: (server.address() as AddressInfo).port,
    setMode,
    setTarget(port) {
      targetPort = port
    },
    setModeAt(text, mode) {
      return new Promise(resolve => {
        armed = { text, mode, sprung: resolve }
      })
    },
    cutConnections,
    abandonConnections() {
      for (const socket of sockets) abandoned.add(socket)
    },
    close,
  }
}
