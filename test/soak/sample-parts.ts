/** What must level off under a steady load, sampled from outside the product, except for retained memory. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Pool } from 'pg'
import type { VisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import type { TestRedis } from '../support/redis.ts'
import type { Allowance } from './levels-off.ts'

export interface Parts {
  /** Process ids by name. */
  processes: Record<string, number>
  /** Where keep-memory.ts writes a file per process id. */
  memoryFolder: string
  redis: Record<string, TestRedis>
  spoolDir: string
  pool: Pool
  queue: VisitQueue
}

export interface Series {
  what: string
  unit: string
  kind: Kind
  samples: number[]
}

type Kind = keyof ReturnType<typeof allowancesAfter>

/**
 * How much a healthy run varies from third to third: about twice what was measured in runs of 2 and 10 minutes on two
 * busy cores. Resident memory varies most, because V8 and malloc release memory late; it bounds what is outside V8. A
 * leak shows first in retained memory, per request, however fast the machine: a healthy process gained 45 to 65 bytes per
 * request while its bounded caches (absent slugs, texts) filled, one that keeps every visit 170 to 225. The thirds are a
 * quarter of the run apart, and two processes share the requests. A megabyte is noise: a run of few requests detects only
 * larger leaks, a run of 10 minutes those of 110 bytes per request.
 */
export function allowancesAfter(requests: number) {
  const keptMegabytesPerRequest = 110 / 1e6
  return {
    resident: { relative: 0.1, absolute: 10 },
    kept: { relative: 0, absolute: Math.max(1, (keptMegabytesPerRequest * requests) / 4 / 2) },
    handles: { relative: 0.1, absolute: 12 },
    redis: { relative: 0.15, absolute: 1.5 },
    spoolFiles: { relative: 0, absolute: 20 },
    spoolKilobytes: { relative: 0, absolute: 500 },
    jobs: { relative: 0, absolute: 20 },
    deadRows: { relative: 0.5, absolute: 3_000 },
    bytesPerRow: { relative: 0.2, absolute: 50 },
  } satisfies Record<string, Allowance>
}

/** Each call of `sample` takes one sample of everything. */
export function createSampler(parts: Parts) {
  const series = new Map<string, Series>()
  const clients = Object.entries(parts.redis).map(
    ([name, { url }]) => [name, new Redis(url, { lazyConnect: true })] as const,
  )

  function note(what: string, unit: string, kind: Kind, value: number | undefined): void {
    if (value === undefined) return
    const known = series.get(what) ?? { what, unit, kind, samples: [] }
    known.samples.push(value)
    series.set(what, known)
  }

  async function sample(): Promise<void> {
    for (const [name, pid] of Object.entries(parts.processes)) {
      note(`${name}: resident memory`, 'MB', 'resident', residentMegabytes(pid))
      note(`${name}: memory after garbage collection`, 'MB', 'kept', keptMegabytes(pid))
      note(`${name}: open files and sockets`, '', 'handles', readdirSync(`/proc/${pid}/fd`).length)
    }
    for (const [name, client] of clients)
      note(`${name}: memory`, 'MB', 'redis', usedMegabytes(await client.info('memory')))
    const { waiting, active, delayed, failed } = await parts.queue.counts()
    note('queue: batches', '', 'jobs', waiting + active + delayed + failed)
    const sizes = spoolFileSizes(parts.spoolDir)
    note('spool: files', '', 'spoolFiles', sizes.length)
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    note('spool: size', 'kB', 'spoolKilobytes', bytes / 1e3)
    for (const table of await aggregateTables(parts.pool)) {
      note(`${table.name}: dead rows`, '', 'deadRows', table.deadRows)
      note(`${table.name}: bytes per row`, '', 'bytesPerRow', table.bytesPerRow)
    }
  }

  function keptMegabytes(pid: number): number | undefined {
    try {
      return Number(readFileSync(join(parts.memoryFolder, String(pid)), 'utf8')) / 1e6
    } catch {
      return undefined
    }
  }

  return {
    sample,
    series: () => [...series.values()],
    close: () => clients.map(([, client]) => client.disconnect()),
  }
}

/** Of the process alone: the supervisor's children are sampled separately. */
function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) * 1_024) / 1e6
}

function usedMegabytes(info: string): number {
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / 1e6
}

function spoolFileSizes(folder: string): number[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap(name => {
    try {
      const file = statSync(join(folder, name))
      return file.isFile() ? [file.size] : []
    } catch {
      // Deleted meanwhile: its batch is counted.
      return []
    }
  })
}

/**
 * Counters, the ledger and every other table except raw visits and what clients create, partitions of a table together.
 * Links get new rows all the time, so a table is judged by its bytes per row (a small one as if it had 5,000 rows).
 */
async function aggregateTables(
  pool: Pool,
): Promise<{ name: string; deadRows: number; bytesPerRow: number }[]> {
  const { rows } = await pool.query<{ name: string; dead: number; bytes: number; rows: number }>(
    `SELECT name, sum(dead)::float8 AS dead, sum(bytes)::float8 AS bytes, sum(rows)::float8 AS rows
     FROM (SELECT regexp_replace(relname, '_(\\d{8}|default)$', '') AS name, n_dead_tup AS dead,
                  pg_total_relation_size(relid) AS bytes,
                  (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM ONLY %I', relname),
                                                       false, true, '')))[1]::text::bigint AS rows
           FROM pg_stat_user_tables
           WHERE schemaname = 'public' AND relname !~ '^(visits|links|texts|schema_migrations)') AS tables
     GROUP BY name HAVING sum(rows) > 0 ORDER BY name`,
  )
  return rows.map(({ name, dead, bytes, rows }) => ({
    name,
    deadRows: dead,
    bytesPerRow: bytes / Math.max(rows, 5_000),
  }))
}
