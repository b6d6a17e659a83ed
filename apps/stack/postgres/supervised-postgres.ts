/**
 * The embedded PostgreSQL, started again on the same port when it ends by itself. While it runs, its URL is in
 * `<folder>/database-url` (mode 0600), for programs that are pointed at it by hand.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRestartBackoff } from '../processes/restart-backoff.ts'
import type { SignalStep } from '../processes/running-process.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

export interface SupervisedPostgres {
  /** The same across restarts. */
  url: string
  stop(steps: SignalStep[]): Promise<void>
}

export interface SupervisedPostgresOptions {
  folder: string
  onSpawn: (pid: number) => void
  complain: (line: string) => void
}

export async function supervisePostgres(options: SupervisedPostgresOptions): Promise<SupervisedPostgres> {
  const { folder, onSpawn, complain } = options
  let server = await startEmbeddedPostgres({ folder, onSpawn })
  const { url, port } = server
  const urlFile = join(folder, 'database-url')
  writeFileSync(urlFile, `${url}\n`, { mode: 0o600 })
  const stopping = new AbortController()
  const supervision = supervise()

  async function supervise(): Promise<void> {
    const backoff = createRestartBackoff()
    while (!stopping.signal.aborted) {
      await server.exited
      if (stopping.signal.aborted) return
      const delayMs = backoff.nextDelayMs()
      complain(`the embedded PostgreSQL ended by itself; starting it again in ${delayMs / 1_000} s`)
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      backoff.started()
      try {
        server = await startEmbeddedPostgres({ folder, port, onSpawn })
      } catch (error) {
        complain(error instanceof Error ? error.message : String(error))
      }
    }
  }

  async function stop(steps: SignalStep[]): Promise<void> {
    stopping.abort()
    await server.stop(steps)
    // A restart that was under way ends first, and may have started a new server.
    await supervision
    await server.stop(steps)
    rmSync(urlFile, { force: true })
  }

  return { url, stop }
}
