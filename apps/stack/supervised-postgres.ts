import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

export interface KeptPostgres {
  /** The same over every restart. */
  url: string
  stop(): Promise<void>
}

const firstDelayMs = 500
const longestDelayMs = 30_000
const steadyAfterMs = 60_000

/**
 * The embedded PostgreSQL, started again on the same port when it ends by itself. While it runs, its URL stands in
 * `<folder>/database-url` (mode 0600), for programs that are pointed at it by hand.
 */
export async function keepPostgres(folder: string, complain: (line: string) => void): Promise<KeptPostgres> {
  let server = await startEmbeddedPostgres({ folder })
  const { url, port } = server
  const urlFile = join(folder, 'database-url')
  writeFileSync(urlFile, `${url}\n`, { mode: 0o600 })
  const stopping = new AbortController()
  const kept = keep()

  async function keep(): Promise<void> {
    let delayMs = firstDelayMs
    let startedAt = Date.now()
    while (!stopping.signal.aborted) {
      await server.exited
      if (stopping.signal.aborted) return
      if (Date.now() - startedAt > steadyAfterMs) delayMs = firstDelayMs
      complain(`the embedded PostgreSQL ended by itself; starting it again in ${delayMs / 1_000} s`)
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      delayMs = Math.min(delayMs * 2, longestDelayMs)
      if (stopping.signal.aborted) return
      startedAt = Date.now()
      try {
        server = await startEmbeddedPostgres({ folder, port })
      } catch (error) {
        complain(error instanceof Error ? error.message : String(error))
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    await server.stop()
    // A restart that was under way ends first, and may have brought a new server up.
    await kept
    await server.stop()
    rmSync(urlFile, { force: true })
  }

  return { url, stop }
}
