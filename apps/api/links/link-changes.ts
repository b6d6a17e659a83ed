/**
 * The channel on which API processes notify each other of changed slugs: PostgreSQL's LISTEN/NOTIFY.
 *
 * Chosen over Redis because a change and its notification commit together, every set-up has it, and it is down exactly
 * when nothing can change. `onChange` is called for every slug created by any process, including this one. `onGap`: the
 * channel is or was down, so anything may have changed, and callers must not trust what they have cached as absent.
 * `onListening`: all changes committed from now on will be received.
 */

import { randomBytes } from 'node:crypto'
import { DatabaseClient } from '@hopcount/shared/database/database-client.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'

export interface LinkChanges {
  /** False while changes by other processes may be missed. */
  isListening(): boolean
  /**
   * Resolves once `onChange` has been called for every change committed by any process before this call. Rejects if
   * that takes longer than `catchUpDeadlineMs`.
   *
   * It sends an empty query on the listening connection: PostgreSQL signals listeners before it confirms a commit, and a
   * signalled session sends its notifications before it is ready for the next query.
   */
  catchUp(): Promise<void>
  close(): Promise<void>
}

const reconnectAfterMs = 500
/**
 * How often the connection must hear a notice of its own. That fails if it died without a sign (a cut cable, a forgetful
 * NAT), and if it no longer listens (a transaction pooler): a process that hears nothing knows it within 5 s.
 */
const checkEveryMs = 2_000
const queryDeadlineMs = 3_000
const catchUpDeadlineMs = 100

export function listenForLinkChanges(options: {
  databaseUrl: string
  log: Log
  onChange: (slug: string) => void
  onGap: () => void
  onListening: () => void
}): LinkChanges {
  const health = createHealthLog(options.log, 'listening for link changes')
  let client: DatabaseClient | undefined
  let listening = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  const ownChannel = `hopcount_process_${randomBytes(8).toString('hex')}`
  let heard: string | undefined

  async function listen(): Promise<void> {
    const next = new DatabaseClient({
      connectionString: options.databaseUrl,
      application_name: 'hopcount link changes',
      connectionTimeoutMillis: 3_000,
      query_timeout: queryDeadlineMs,
      keepAlive: true,
    })
    client = next
    next.on('error', error => lost(next, error))
    next.on('end', () => lost(next, new Error('the connection was closed')))
    next.on('notification', notice => {
      if (notice.channel === ownChannel) heard = notice.payload
      else for (const slug of (notice.payload ?? '').split(' ')) options.onChange(slug)
    })
    try {
      await next.connect()
      await next.query(`LISTEN hopcount_links; LISTEN ${ownChannel}`)
      await hearOwnNotice(next)
      options.onGap()
      listening = true
      options.onListening()
      health.works()
      scheduleCheck(next)
    } catch (error) {
      lost(next, error)
    }
  }

  function scheduleCheck(current: DatabaseClient): void {
    timer = setTimeout(() => {
      hearOwnNotice(current).then(
        () => current === client && !closed && scheduleCheck(current),
        error => lost(current, error),
      )
    }, checkEveryMs)
  }

  /** A session sends the notices of its own transaction before it is ready for the next query. */
  async function hearOwnNotice(current: DatabaseClient): Promise<void> {
    const notice = randomBytes(4).toString('hex')
    // Nothing has to survive a crash of the server, so nobody waits for its disk.
    await current.query(
      `BEGIN; SET LOCAL synchronous_commit = off; NOTIFY ${ownChannel}, '${notice}'; COMMIT`,
    )
    if (heard !== notice) throw new Error('the connection does not hear its own notices')
  }

  function lost(current: DatabaseClient, error: unknown): void {
    if (current !== client || closed) return
    client = undefined
    listening = false
    options.onGap()
    health.fails(error)
    clearTimeout(timer)
    current.end().catch(() => {})
    timer = setTimeout(() => void listen(), reconnectAfterMs)
  }

  async function catchUp(): Promise<void> {
    if (client === undefined || !listening) throw new Error('not listening for link changes')
    let late: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error('the listening connection is slow')), catchUpDeadlineMs)
    })
    try {
      await Promise.race([client.query(''), deadline])
    } finally {
      clearTimeout(late)
    }
  }

  void listen()
  return {
    isListening: () => listening,
    catchUp,
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}
