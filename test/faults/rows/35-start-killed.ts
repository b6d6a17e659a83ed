import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import { sendSignal } from '../../../apps/stack/processes/running-process.ts'
import { openPool, shorten } from '../../support/hopcount.ts'
import type { NpmRun } from '../../support/npm-run.ts'
import { startNpm, waitUntilNothingIsLeft } from '../../support/npm-run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import type { FaultSystem } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** The supervisor is called launcher elsewhere. */
const kinds = (['SIGTERM', 'SIGKILL'] as const).flatMap(signal =>
  (['npm', 'bootstrap', 'program'] as const).map(victim => ({ signal, victim })),
)
const nothingLeftWithinMs = 10_000

let stack: { run: NpmRun; pool: pg.Pool; folder: string; port: number; slug: string } | undefined

/** Each round ends what the one before has started again, on the same data. */
export const startKilled: Row = {
  number: 35,
  title:
    'npm, the bootstrap or the supervisor of npm start is ended (TERM, KILL): nothing is left 10 s later, and nothing is lost',
  kinds: kinds.length,
  system: { partsLater: true },
  async round(system, context) {
    const kind = kinds[context.round % kinds.length]
    if (kind === undefined) throw new Error('there is no such kind')
    if (context.round === 0) stack = undefined
    const before = stack ?? (await startStack())
    stack = before
    const failures: string[] = []
    const result = await strikeUnderLoad(systemOf(system), context, {
      strike: () => sendSignal(before.run[kind.victim], kind.signal),
      lasts: () =>
        waitUntilNothingIsLeft(before.run, nothingLeftWithinMs * context.slack).catch(error =>
          failures.push(`${kind.signal} of the ${kind.victim}: ${error.message}`),
        ),
      async heal() {
        stack = await startStack(before)
      },
      promises: { drainedWithinMs: 60_000 },
    })
    result.failures.push(...failures)
    return result
  },
}

async function startStack(before?: { folder: string; port: number; slug: string }) {
  const { folder, port } = before ?? { folder: temporaryFolder(), port: await freePort() }
  const run = await startNpm(['start'], {
    folder,
    environment: { PORT: String(port), WORKER_METRICS_PORT: '0' },
    hasStarted: output => output.includes('Hopcount is ready'),
  })
  const pool = openPool(readFileSync(join(folder, 'data', 'database-url'), 'utf8').trim())
  // A lost connection is no failure of the row.
  pool.on('error', () => {})
  return { run, pool, folder, port, slug: before?.slug ?? (await shorten(`http://127.0.0.1:${port}`)) }
}

/** The row's own system, with what npm start runs in place of its database and its API. */
function systemOf(system: FaultSystem): FaultSystem {
  return Object.create(system, {
    pool: { get: () => stack?.pool },
    slugs: { get: () => [stack?.slug] },
    origin: { value: () => `http://127.0.0.1:${stack?.port}` },
  })
}
