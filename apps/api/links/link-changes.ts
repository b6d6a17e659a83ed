/**
 * The connection on which an API process hears what other processes have changed: PostgreSQL's LISTEN/NOTIFY.
 *
 * Chosen over Redis because a change and its notice commit together, every set-up has it, and it is down exactly when
 * nothing can change. There is one per process; `onNotice` adds channels to it.
 *
 * Four times a second the connection has to hear a notice of its own. PostgreSQL delivers notices in the order of their
 * commits, so one that was sent at t and heard proves that every change committed before t has been heard as well. For
 * `currentForMs` from t the process is current: whatever it has cached is at most that old. A process that is stopped,
 * starved or cut off stops being current by the clock alone, without having to notice anything.
 */

import { randomBytes } from 'node:crypto'
import { DatabaseClient } from '@hopcount/shared/database/database-client.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'
import type { Queries } from './link-queries.ts'

export interface LinkChanges {
  /** False while the connection is down. */
  isListening(): boolean
  /** True: every change that was committed more than a second ago, on any channel, has been heard. */
  isCurrent(): boolean
  /**
   * Resolves once every notice committed by any process before this call has been heard. Rejects if that takes longer
   * than `catchUpDeadlineMs`.
   *
   * It sends an empty query on the listening connection: PostgreSQL signals listeners before it confirms a commit, and a
   * signalled session sends its notices before it is ready for the next query.
   */
  catchUp(): Promise<void>
  /**
   * Runs a short query on the listening connection: for what must not wait until the pool has noticed that its
   * connections have died without a sign.
   */
  query: Queries['query']
  /** Hears another channel. Its notices may have been missed before the first `onGap`. */
  onNotice(channel: string, listener: NoticeListener): void
  close(): Promise<void>
}

export interface NoticeListener {
  heard(payload: string): void
  /** Notices are or were missed: what was cached before must not be trusted, even when the process is current again. */
  onGap(): void
}

const reconnectAfterMs = 250
const connectDeadlineMs = 2_000
const checkEveryMs = 250
/** Promised is a second; the rest is for a response on its way. */
const currentForMs = 900
/**
 * A connection that has not heard its own notice by then is replaced: it died without a sign (a cut cable, a forgetful
 * NAT), or it no longer listens (a transaction pooler). Longer than `currentForMs`, since all slugs are read again
 * after that, and a busy machine may take long.
 */
const queryDeadlineMs = 3_000
const catchUpDeadlineMs = 100

export function listenForLinkChanges(options: {
  databaseUrl: string
  log: Log
  /** Called for every slug that any process, including this one, has created or changed. */
  onChange: (slug: string) => void
  /** As in NoticeListener. */
  onGap: () => void
  /** All changes committed from now on will be heard. */
  onListening: () => void
}): LinkChanges {
  const health = createHealthLog(options.log, 'listening for link changes')
  const listeners = new Map<string, NoticeListener>([
    [
      'hopcount_links',
      {
        heard(payload) {
          for (const slug of payload.split(' ')) options.onChange(slug)
        },
        onGap: options.onGap,
      },
    ],
  ])
  let client: ListeningClient | undefined
  let listening = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  const ownChannel = `hopcount_process_${randomBytes(8).toString('hex')}`
  let probe = { notice: '', sentAt: 0, isHeard: false }
  let provenAt = Number.NEGATIVE_INFINITY

  async function listen(): Promise<void> {
    const next = new ListeningClient({
      connectionString: options.databaseUrl,
      application_name: 'hopcount link changes',
      connectionTimeoutMillis: connectDeadlineMs,
      query_timeout: queryDeadlineMs,
      keepAlive: true,
    })
    client = next
    next.on('error', error => lost(next, error))
    next.on('end', () => lost(next, new Error('the connection was closed')))
    next.on('notification', ({ channel, payload = '' }) => {
      if (channel === ownChannel) hearProbe(payload)
      else listeners.get(channel)?.heard(payload)
    })
    try {
      await next.connect()
      await next.inTurn([ownChannel, ...listeners.keys()].map(channel => `LISTEN ${channel}`).join('; '))
      await hearOwnNotice(next)
      tellGap()
      listening = true
      options.onListening()
      health.works()
      scheduleCheck(next)
    } catch (error) {
      lost(next, error)
    }
  }

  function tellGap(): void {
    for (const { onGap } of listeners.values()) onGap()
  }

  function scheduleCheck(current: ListeningClient): void {
    timer = setTimeout(() => {
      hearOwnNotice(current).then(
        () => current === client && !closed && scheduleCheck(current),
        error => lost(current, error),
      )
    }, checkEveryMs)
  }

  /** A session sends the notices of its own transaction before it is ready for the next query. */
  async function hearOwnNotice(current: ListeningClient): Promise<void> {
    const sent = { notice: randomBytes(4).toString('hex'), sentAt: performance.now(), isHeard: false }
    probe = sent
    // Nothing has to survive a crash of the server, so nobody waits for its disk.
    await current.inTurn(
      `BEGIN; SET LOCAL synchronous_commit = off; NOTIFY ${ownChannel}, '${sent.notice}'; COMMIT`,
    )
    if (!sent.isHeard) throw new Error('the connection does not hear its own notices')
  }

  function hearProbe(notice: string): void {
    if (notice !== probe.notice) return
    probe.isHeard = true
    provenAt = probe.sentAt
  }

  function lost(current: ListeningClient, error: unknown): void {
    if (current !== client || closed) return
    client = undefined
    listening = false
    tellGap()
    health.fails(error)
    clearTimeout(timer)
    current.end().catch(() => {})
    timer = setTimeout(() => void listen(), reconnectAfterMs)
  }

  async function catchUp(): Promise<void> {
    if (client === undefined || !listening) throw notListening()
    let late: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error('the listening connection is slow')), catchUpDeadlineMs)
    })
    try {
      await Promise.race([client.inTurn(''), deadline])
    } finally {
      clearTimeout(late)
    }
  }

  function query<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>> {
    if (client === undefined || !listening) return Promise.reject(notListening())
    return client.inTurn<Row>(statement)
  }

  function onNotice(channel: string, listener: NoticeListener): void {
    listeners.set(channel, listener)
    // A connection that is being made may be past its LISTEN.
    const current = client
    if (current === undefined) return
    // What was sent before it listens proves nothing about this channel.
    provenAt = probe.sentAt = Number.NEGATIVE_INFINITY
    current.inTurn(`LISTEN ${channel}`).then(listener.onGap, error => lost(current, error))
  }

  void listen()
  return {
    isListening: () => listening,
    isCurrent: () => listening && performance.now() - provenAt < currentForMs,
    catchUp,
    query,
    onNotice,
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}

/** Sends one query at a time: node-postgres is going to stop doing so by itself. */
class ListeningClient extends DatabaseClient {
  #last: Promise<unknown> = Promise.resolve()

  inTurn<Row extends QueryResultRow>(statement: string | QueryConfig): Promise<QueryResult<Row>> {
    const result = this.#last.then(() => this.query<Row>(statement))
    this.#last = result.catch(() => {})
    return result
  }
}

function notListening(): Error {
  return new Error('connection error: not listening for link changes')
}
