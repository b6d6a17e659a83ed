/**
 * Redirects first: where API, worker and PostgreSQL share a machine, recording runs at lower CPU priority (RECORDING_NICE),
 * in the worker and in the backends of its own connections. Redirects take the processor while they come fast, and what waits
 * meanwhile is recorded in larger transactions, which cost less per visit.
 *
 * PostgreSQL's other processes stay as they are: backends of the API, checkpointer, WAL writer. Where a priority can't be
 * lowered (PostgreSQL on another machine, in a container, or of another user), recording works as well without.
 */
import { DatabaseClient } from '@hopcount/shared/database/database-client.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { errorText } from '@hopcount/shared/log.ts'
import { lowerPriority } from './lower-priority.ts'
import { ownBackend } from './own-backend.ts'

export interface RecordingPriority {
  /** To be called with each connection of the worker's pools, once it is open. Connections of others are not for it. */
  lowerBackend(client: unknown): void
}

/** Lowers the priority of this process at once. 0: of nothing. */
export function yieldToRedirects(nice: number, log: Log): RecordingPriority {
  let isSaid = false
  /** One line for all connections, of which each would say the same. */
  const leave = (reason: string) => {
    if (!isSaid) log.debug({ reason }, 'the CPU priority of PostgreSQL’s backends is left as it is')
    isSaid = true
  }

  function lowerBackend(client: unknown): void {
    if (nice === 0 || !(client instanceof DatabaseClient)) return
    const pid = ownBackend(client.ends())
    if (pid === undefined) leave('they are not seen on this machine')
    else lowerPriority(pid, nice).catch(error => leave(errorText(error)))
  }

  if (nice > 0)
    lowerPriority(process.pid, nice).catch(error =>
      log.debug({ reason: errorText(error) }, 'the CPU priority of this process is left as it is'),
    )
  return { lowerBackend }
}
