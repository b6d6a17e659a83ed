/**
 * Finds the backend of a connection: the process of PostgreSQL that serves it.
 *
 * PostgreSQL says its process id, which means nothing by itself: PostgreSQL may run in a container that numbers its processes
 * anew, on another machine behind a tunnel, or behind a pooler that makes ids up. So the process must also say, in its
 * title, that it serves this user, this database, and the very port on loopback that this connection comes from.
 */
import { readFileSync } from 'node:fs'
import type { ConnectionEnds } from '@hopcount/shared/database/database-client.ts'

/** Undefined where it can't be told for certain. */
export function ownBackend(connection: ConnectionEnds): number | undefined {
  const { backendPid } = connection
  return backendPid !== undefined && backendPid > 1 && isBackendOf(titleOf(backendPid), connection)
    ? backendPid
    : undefined
}

/** `postgres: hopcount hopcount 127.0.0.1(54321) idle`; before the user, there may be a cluster_name. */
export function isBackendOf(title: string, connection: ConnectionEnds): boolean {
  const { user, database, localAddress, localPort, remoteAddress } = connection
  if (user === undefined || database === undefined || localAddress === undefined) return false
  if (localAddress !== remoteAddress || !loopback.has(localAddress)) return false
  const named = ` ${user} ${database} ${localAddress}(${localPort}) `
  return title.startsWith('postgres:') && `${title} `.includes(named)
}

const loopback = new Set(['127.0.0.1', '::1'])

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trimEnd()
  } catch {
    return ''
  }
}
