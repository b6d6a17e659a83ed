/**
 * Connections to PostgreSQL. Every connection of API and worker is one of these, in a pool or alone, including those of
 * the queue.
 */
import type { Socket } from 'node:net'
import pg from 'pg'

/** The two ends of an open connection; what is not known is undefined. */
export interface ConnectionEnds {
  user: string | undefined
  database: string | undefined
  localAddress: string | undefined
  localPort: number | undefined
  remoteAddress: string | undefined
  /** Process id of the backend, as PostgreSQL says it. */
  backendPid: number | undefined
}

/**
 * A connection whose loss never ends the process. node-postgres emits 'error' for a connection that is lost while no
 * query is under way; an 'error' without a listener would end the process, and between being connected or taken from a
 * pool and its first query a connection has no listener. Whoever uses the connection learns of the loss from its next
 * query.
 */
export class DatabaseClient extends pg.Client {
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'error' && this.listenerCount('error') === 0) return false
    return super.emit(event, ...values)
  }

  ends(): ConnectionEnds {
    const { user, database } = this
    // Not among the types of node-postgres.
    const { processID, connection } = this as unknown as {
      processID: number | null
      connection: { stream: Socket }
    }
    const { localAddress, localPort, remoteAddress } = connection.stream
    return { user, database, localAddress, localPort, remoteAddress, backendPid: processID ?? undefined }
  }
}

/**
 * A connection to a transaction pooler: each transaction may run on another session of PostgreSQL, so nothing lasts
 * longer. Named statements are sent without their names, and what is a setting of the session elsewhere is set for each
 * transaction that inTransaction() begins.
 */
export class PoolerClient extends DatabaseClient {
  /** SET LOCAL statements, to be sent after BEGIN. */
  readonly transactionSettings: string

  constructor(config: pg.ClientConfig & { transactionSettings?: string }) {
    super(config)
    this.transactionSettings = config.transactionSettings ?? ''
    const query = this.query.bind(this)
    this.query = ((statement: unknown, ...rest: unknown[]) =>
      Reflect.apply(query, this, [withoutName(statement), ...rest])) as typeof query
  }
}

function withoutName(statement: unknown): unknown {
  const isNamed = typeof statement === 'object' && statement !== null && 'name' in statement
  return isNamed && !('submit' in statement) ? { ...statement, name: undefined } : statement
}
