import { createServer } from 'node:net'

/** A port of `host` that nobody listens on at this moment. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return listenOnce(0, host)
}

/** Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, …) where nobody could listen on the port now. */
export async function assertPortIsFree(port: number, host: string): Promise<void> {
  await listenOnce(port, host)
}

function listenOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      const chosen = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(chosen))
    })
  })
}
