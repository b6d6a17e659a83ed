import type { Row } from '../row.ts'
import type { SmallDisk } from '../small-disk.ts'
import { mountSmallDisk } from '../small-disk.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

let disk: SmallDisk | undefined

/** The whole cluster including its write-ahead log is on the disk: the server may crash when it is full. */
export const postgresDiskFull: Row = {
  number: 16,
  title:
    'PostgreSQL’s disk full: R of cached links continue, P, S get 503 at worst; drained when there is room',
  needs: ['redis', 'mounts'],
  options() {
    disk = mountSmallDisk('400m')
    return { ownPostgres: disk.path }
  },
  round: (system, context) =>
    strikeUnderLoad(system, context, {
      strike: () => disk?.fill(),
      lasts: context.full ? 8_000 : 4_000,
      async heal() {
        disk?.makeRoom()
        await system.postgres.restart()
      },
      promises: {
        redirects: 99.9,
        shorten: '503',
        stats: '503',
        unknownSlugs: '503',
        drainedWithinMs: 60_000,
        logLines: 30,
      },
    }),
}
