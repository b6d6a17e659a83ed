import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../../support/wait-until.ts'
import type { FaultSystem } from '../fault-system.ts'
import { metric } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** What is deleted by hand. */
const kinds = [
  { what: 'the spool', strike: ({ spoolDir }: FaultSystem) => deleteAll(spoolDir) },
  {
    what: 'the folders of the producers',
    strike: ({ spoolDir }: FaultSystem) => producers(spoolDir).forEach(deleteAll),
  },
  {
    what: 'their sockets: for another process they are dead then',
    strike: ({ spoolDir }: FaultSystem) =>
      producers(spoolDir).forEach(folder => {
        rmSync(join(folder, 'alive'), { force: true })
      }),
  },
  {
    what: 'the spool, while segments can go nowhere',
    withoutRedis: true,
    strike: ({ spoolDir }: FaultSystem) => deleteAll(spoolDir),
  },
  {
    what: 'sealed segments, while they can go nowhere',
    withoutRedis: true,
    strike: ({ spoolDir, segments }: FaultSystem) =>
      segments()
        .filter(name => name.endsWith('.sealed'))
        .forEach(name => {
          rmSync(join(spoolDir, name), { force: true })
        }),
  },
]

/** Two API processes, so that one may adopt what looks abandoned. */
export const spoolDeleted: Row = {
  number: 32,
  title:
    'the spool, or what is in it, is deleted under a running API: it is made again, redirects go on, a loss is counted',
  kinds: kinds.length,
  system: { apis: 2 },
  async round(system, context) {
    const kind = kinds[context.round % kinds.length]
    const failures: string[] = []
    const lostBefore = await lostVisits(system)
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        if (kind?.withoutRedis) await system.redis.kill9()
        if (kind?.withoutRedis) await sleep(1_500)
        kind?.strike(system)
      },
      async lasts() {
        await waitUntil(() => producers(system.spoolDir).filter(hasSocket).length === system.apis.length, {
          what: `every producer has its folder and socket again after somebody deleted ${kind?.what}`,
          deadlineMs: 5_000 * context.slack,
        }).catch(error => failures.push(String(error)))
        await sleep(500)
      },
      async heal() {
        if (kind?.withoutRedis) await system.redis.restart()
      },
      ...(kind?.withoutRedis && { saysLost: async () => (await lostVisits(system)) - lostBefore }),
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 40 },
    })
    result.failures.push(...failures)
    if (!kind?.withoutRedis && (await lostVisits(system)) !== lostBefore)
      result.failures.push('visits are said to be lost')
    await waitUntil(async () => (await sumOf(system, 'hopcount_visits_pending')) === 0, {
      what: 'nothing is pending',
      deadlineMs: 20_000 * context.slack,
    }).catch(error => result.failures.push(String(error)))
    return result
  },
}

const lostVisits = (system: FaultSystem) => sumOf(system, 'hopcount_visits_lost_total')

async function sumOf(system: FaultSystem, name: string): Promise<number> {
  const values = await Promise.all(system.apis.map(api => metric(`${api.origin}/metrics`, name)))
  return values.reduce((sum, value) => sum + value, 0)
}

function deleteAll(path: string): void {
  // A file may be created meanwhile: rmdir(2) fails, and it is tried again, as an operator would.
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 1 })
}

function producers(spoolDir: string): string[] {
  try {
    return readdirSync(spoolDir, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => join(spoolDir, entry.name))
  } catch {
    return []
  }
}

function hasSocket(folder: string): boolean {
  try {
    return readdirSync(folder).includes('alive')
  } catch {
    return false
  }
}
