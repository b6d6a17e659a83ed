import { readdirSync } from 'node:fs'
import { shorten, visit } from '../../support/hopcount.ts'
import { startProcess } from '../../support/processes.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** PostgreSQL refuses the visits of one link, and with them whole batches, which also hold visits of the load. */
export const setAsideForGood: Row = {
  number: 31,
  title:
    'batches are set aside for good: the ledger’s watermark passes them, everything says so, and a retry counts them once',
  async round(system, context) {
    const failures: string[] = []
    const slug = await shorten(system.origin())
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await refuse(system, slug)
        for (let i = 0; i < 3; i++) await visit(system.origin(), slug)
      },
      async lasts() {
        await waitUntil(() => asideFiles(system).length > 0, {
          what: 'a segment is set aside',
          deadlineMs: 60_000,
        })
        const aside = await idsAside(system)
        // The watermark waits 30 s for processes of release 0.1.
        await system.pool.query(
          `UPDATE set_aside_batches SET set_aside_at = set_aside_at - interval '1 minute'`,
        )
        await waitUntil(async () => (await aheadOfWatermark(system)) === 0, {
          what: 'the watermark passes what is set aside',
          deadlineMs: 60_000,
        }).catch(error => failures.push(String(error)))
        const { warnings } = (await (await fetch(`${system.origin()}/readyz`)).json()) as {
          warnings: string[]
        }
        if (!warnings.some(warning => warning.includes('set aside'))) failures.push('/readyz says nothing')
        const verified = await run(system, 'apps/worker/verify.ts')
        for (const id of aside)
          if (!verified.includes(`set aside: "${id}"`))
            failures.push(`verify does not list ${id}: ${verified}`)
      },
      async heal() {
        await system.pool.query('ALTER TABLE visits DROP CONSTRAINT refused')
        await run(system, 'apps/worker/queue-command.ts', 'retry')
        await waitUntil(
          async () => asideFiles(system).length === 0 && (await idsAside(system)).length === 0,
          {
            what: 'nothing is set aside any more',
            deadlineMs: 60_000,
          },
        ).catch(error => failures.push(String(error)))
      },
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
    })
    const { rows } = await system.pool.query<{ visits: number }>(
      'SELECT count(*)::integer AS visits FROM visits JOIN links ON links.id = link_id WHERE slug = $1',
      [slug],
    )
    if (rows[0]?.visits !== 3) failures.push(`${rows[0]?.visits} of 3 visits of the refused link are counted`)
    result.failures.push(...failures)
    return result
  },
}

async function refuse(system: FaultSystem, slug: string): Promise<void> {
  const { rows } = await system.pool.query<{ id: number }>('SELECT id FROM links WHERE slug = $1', [slug])
  await system.pool.query(
    `ALTER TABLE visits ADD CONSTRAINT refused CHECK (link_id <> ${rows[0]?.id}) NOT VALID`,
  )
}

function asideFiles(system: FaultSystem): string[] {
  return readdirSync(system.spoolDir, { recursive: true, encoding: 'utf8' }).filter(name =>
    /\.(aside|retry)$/.test(name),
  )
}

async function idsAside(system: FaultSystem): Promise<string[]> {
  const { rows } = await system.pool.query<{ id: string }>(
    `SELECT producer_id || '-' || seq AS id FROM set_aside_batches`,
  )
  return rows.map(row => row.id)
}

/** How many of those that are set aside no watermark covers. */
async function aheadOfWatermark(system: FaultSystem): Promise<number | null> {
  const { rowCount } = await system.pool.query(
    `SELECT FROM set_aside_batches AS aside WHERE NOT EXISTS (
       SELECT FROM ledger_watermarks AS mark WHERE mark.producer_id = aside.producer_id AND mark.seq >= aside.seq
     )`,
  )
  return rowCount
}

async function run(system: FaultSystem, script: string, ...args: string[]): Promise<string> {
  const started = startProcess({
    script,
    args,
    env: { DATABASE_URL: system.databaseUrl, REDIS_URL: system.redis.url, SPOOL_DIR: system.spoolDir },
  })
  await started.exited
  return started.output()
}
