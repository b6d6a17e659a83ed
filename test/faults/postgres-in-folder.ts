import { migrateDatabase } from '../../apps/stack/migrate-database.ts'
import { startEmbeddedPostgres } from '../../apps/stack/postgres/embedded-postgres.ts'
import { sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import type { TestPostgres } from '../support/postgres.ts'
import { endWithUs } from '../support/run.ts'

/** A server whose data lies where the row says, for example on a small disk. It may end by itself there. */
export async function startPostgresIn(folder: string): Promise<TestPostgres> {
  let server = await startEmbeddedPostgres({ folder, onSpawn: endWithUs })
  const { url, adminUrl, port } = server
  const stop = () => server.stop()
  cleanUpLater(stop)
  await migrateDatabase({ databaseUrl: url, redisUrl: 'redis://elsewhere' })
  const signal = (name: NodeJS.Signals) => sendSignal(server.pid, name)
  return {
    url,
    adminUrl,
    port,
    get pid() {
      return server.pid
    },
    stop,
    async kill9() {
      signal('SIGKILL')
      await server.exited
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async restart() {
      await stop()
      server = await startEmbeddedPostgres({ folder, port, onSpawn: endWithUs })
    },
  }
}
