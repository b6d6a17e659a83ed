import type { PgBouncer } from '../../support/pgbouncer.ts'
import { startPgBouncer } from '../../support/pgbouncer.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

let pooler: PgBouncer | undefined

/** What can't work through it is refused at the start: connections/pooler.test.ts. */
export const throughPooler: Row = {
  number: 38,
  title: 'PgBouncer in transaction mode before PostgreSQL, killed and down for some seconds: as without it',
  needs: ['redis', 'pgbouncer'],
  system: { partsLater: true },
  async round(system, context) {
    if (system.apis.length === 0) {
      pooler = await startPgBouncer(system.databaseUrl)
      const through = { DATABASE_URL: pooler.url, DIRECT_DATABASE_URL: system.databaseUrl }
      await system.startApi(through)
      await system.startApi(through)
      await system.startWorker(through)
      await system.startWorker(through)
      system.slugs.push(...(await system.prepareLinks(20)))
    }
    return strikeUnderLoad(system, context, {
      edits: {
        editor: () => system.apis[0]?.origin ?? '',
        origins: () => system.apis.map(api => api.origin),
      },
      strike: () => pooler?.kill9(),
      lasts: context.full ? 5_000 : 2_000,
      heal: () => pooler?.restart(),
      promises: {
        redirects: 99.9,
        shorten: '503',
        stats: '503',
        unknownSlugs: '503',
        drainedWithinMs: 60_000,
        logLines: 20,
      },
    })
  },
}
