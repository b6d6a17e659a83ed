/**
 * Notices when the database has lost commits: a standby without the primary's last seconds was promoted, or a backup was
 * restored. Once a second, and when a statement saw another epoch than the one known here (database-epoch.ts).
 *
 * `epoch()` changes before `onEpoch` is called, so whatever is read by a statement of the former epoch can be told and is
 * not trusted. `onRestart`: the server was started again; a server that confirms commits before it has flushed them may
 * have lost some. Whoever finds that it has calls `commitsAreMissing`, which begins a new epoch.
 */
import type { DatabaseState } from '@hopcount/shared/database/database-epoch.ts'
import { beginEpoch, readDatabaseState } from '@hopcount/shared/database/database-epoch.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog, errorText } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'

export interface DatabaseWatch {
  /** The epoch that what this process remembers belongs to; empty until the database has been reached once. */
  epoch(): string
  /** Looks now. Never rejects: what fails is repeated a second later. */
  check(): Promise<void>
  /** The epoch that is known lacks commits which were confirmed in it. */
  commitsAreMissing(): Promise<void>
  onEpoch(listener: (epoch: string) => void): void
  onRestart(listener: () => void): void
  close(): void
}

const checkEveryMs = 1_000

export async function watchDatabase(pool: Pool, log: Log): Promise<DatabaseWatch> {
  const health = createHealthLog(log, 'noting an epoch of the database')
  const epochListeners: ((epoch: string) => void)[] = []
  const restartListeners: (() => void)[] = []
  let state: DatabaseState | undefined
  let epoch = ''
  let checking: Promise<void> | undefined

  function check(): Promise<void> {
    checking ??= look().finally(() => {
      checking = undefined
    })
    return checking
  }

  async function look(): Promise<void> {
    try {
      const before = state
      const now = await readDatabaseState(pool)
      if (now.isStandby) return
      const isRestarted = before !== undefined && now.startedAt !== before.startedAt
      // The files of a running server can't be exchanged, so its log only goes back with a restart.
      const wentBack = isRestarted && now.flushedBytes < before.flushedBytes
      const isOver = now.epoch === undefined || (wentBack && now.epoch === epoch)
      const current = isOver ? await beginEpoch(pool, epoch) : now.epoch
      state = now
      if (current !== undefined && current !== epoch) enter(current)
      else if (isRestarted) for (const listener of restartListeners) listener()
      health.works()
    } catch (error) {
      // That the database is away is said elsewhere. That it refuses to note an epoch is not.
      if (error instanceof Error && 'code' in error && error.code === '42501') health.fails(error)
      else log.debug({ reason: errorText(error) }, 'the epoch of the database can not be read')
    }
  }

  function enter(next: string): void {
    const isFirst = epoch === ''
    epoch = next
    if (!isFirst)
      log.warn(
        { epoch },
        'the database may have lost commits (a standby was promoted, or a backup restored); what was remembered of it is forgotten, and kept visits that it lacks are counted again',
      )
    for (const listener of epochListeners) listener(epoch)
  }

  async function commitsAreMissing(): Promise<void> {
    const next = await beginEpoch(pool, epoch)
    if (next !== epoch) enter(next)
  }

  await check()
  const timer = setInterval(() => void check(), checkEveryMs)
  return {
    epoch: () => epoch,
    check,
    commitsAreMissing,
    onEpoch: listener => epochListeners.push(listener),
    onRestart: listener => restartListeners.push(listener),
    close: () => clearInterval(timer),
  }
}
