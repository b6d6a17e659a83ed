import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const postgresReadOnly: Row = {
  number: 14,
  title: 'PostgreSQL read-only: R, S continue, P gets 503',
  system: { ownPostgres: true },
  round: (system, context) =>
    strikeUnderLoad(system, context, {
      async strike() {
        await system.asAdmin('ALTER SYSTEM SET default_transaction_read_only = on')
        await system.asAdmin('SELECT pg_reload_conf()')
      },
      lasts: context.full ? 6_000 : 3_000,
      async heal() {
        await system.asAdmin('ALTER SYSTEM RESET default_transaction_read_only')
        await system.asAdmin('SELECT pg_reload_conf()')
      },
      promises: {
        redirects: 99.9,
        shorten: '503',
        stats: 99,
        unknownSlugs: 99,
        drainedWithinMs: 60_000,
        logLines: 20,
      },
    }),
}
