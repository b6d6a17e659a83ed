import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const noConnectionLeft: Row = {
  number: 15,
  title:
    'no PostgreSQL connection left: R of cached links continue, unknown slugs, P, S get 503; drained within 60 s',
  system: { ownPostgres: true },
  round: (system, context) =>
    strikeUnderLoad(system, context, {
      async strike() {
        await system.asAdmin('ALTER ROLE hopcount CONNECTION LIMIT 0')
        await system.asAdmin(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hopcount'`,
        )
      },
      lasts: context.full ? 6_000 : 3_000,
      heal: () => system.asAdmin('ALTER ROLE hopcount CONNECTION LIMIT -1'),
      promises: {
        redirects: 99.9,
        shorten: '503',
        stats: '503',
        unknownSlugs: '503',
        drainedWithinMs: 60_000,
        logLines: 20,
      },
    }),
}
