import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const postgresKilled: Row = {
  number: 13,
  title:
    'PostgreSQL killed and restarted: R of cached links continue, unknown slugs, P, S get 503; drained within 60 s',
  system: { ownPostgres: true, apis: 2 },
  round: (system, context) =>
    strikeUnderLoad(system, context, {
      edits: {
        editor: () => system.apis[0]?.origin ?? '',
        origins: () => system.apis.map(api => api.origin),
        staleUntilMs: 3_000,
      },
      strike: () => system.postgres.kill9(),
      lasts: context.full ? 8_000 : 4_000,
      heal: () => system.postgres.restart(),
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
