/**
 * Connections to PostgreSQL. Every connection of API and worker is one of these, in a pool or alone, including those of
 * the queue.
 */
import pg from 'pg'

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
}
