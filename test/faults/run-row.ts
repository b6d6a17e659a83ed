/** Runs a row: its system once, its rounds one after the other on it, and a last look when everything is idle. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isExact, judge } from '../support/checker.ts'
import { pgBouncerAvailable } from '../support/pgbouncer.ts'
import { redisAvailable } from '../support/redis.ts'
import type { FaultSystem } from './fault-system.ts'
import { startFaultSystem, waitUntilIdle } from './fault-system.ts'
import type { Row, RowContext } from './row.ts'
import { seededRandom } from './seeded-random.ts'
import { canMount } from './small-disk.ts'
import type { RoundResult } from './strike-under-load.ts'

export interface RowReport {
  row: Row
  rounds: number
  answered: number
  unknown: number
  refused: number
  counted: number
  lost: number
  twice: number
  /** The longest of the rounds. */
  recoveryMs: number
  /** The worst of the rounds, per cent; NaN where nothing was asked during the fault. */
  availability: { R: number; P: number; S: number }
  redirectP99Ms: number
  logLines: number
  tookMs: number
  failures: string[]
}

/** Why the row can't run here; undefined where it can. */
export function reasonToSkip({ needs = ['redis'] }: Row): string | undefined {
  if (needs.includes('redis') && !redisAvailable()) return 'no redis-server or valkey-server on the PATH'
  if (needs.includes('pgbouncer') && !pgBouncerAvailable()) return 'no pgbouncer'
  if (needs.includes('mounts') && !canMount()) return 'small disks can be mounted by root on Linux only'
  return undefined
}

export async function runRow(
  row: Row,
  options: RowContext & { rounds: number; seed: string },
): Promise<RowReport> {
  const startedAt = performance.now()
  const results: RoundResult[] = []
  const failures: string[] = []
  let system: FaultSystem | undefined
  try {
    const systemOptions = { ...row.system, ...(await row.options?.(options)) }
    system = await startFaultSystem(systemOptions, options.newDatabase)
    for (let round = 0; round < Math.max(options.rounds, row.kinds ?? 1); round++) {
      const random = seededRandom(`${options.seed}/${row.number}/${round}`)
      try {
        const result = await row.round(system, { ...options, random, round })
        results.push(result)
        failures.push(...result.failures.map(failure => `round ${round + 1}: ${failure}`))
      } catch (error) {
        throw new Error(`round ${round + 1}: ${describeError(error)}`, { cause: error })
      }
    }
    await waitUntilIdle(system)
    await sleep(300)
    // What comes twice may come late: looked at again when nothing is under way any more.
    const verdict = await judge(system.pool, [])
    const twice = await judge(
      system.pool,
      results.map(result => result.load),
    )
    if (!isExact({ ...verdict, lost: [] }) || twice.twice.length > 0 || twice.invented.length > 0) {
      failures.push(
        `when idle: ${twice.twice.length} twice, ${twice.invented.length} counted though refused, ${verdict.differences.join('; ')}`,
      )
    }
  } catch (error) {
    failures.push(describeError(error), ...lastWords(system))
  }
  return {
    row,
    rounds: results.length,
    ...total(results),
    tookMs: performance.now() - startedAt,
    failures,
  }
}

function total(results: RoundResult[]) {
  const sum = (of: (result: RoundResult) => number) => results.reduce((all, result) => all + of(result), 0)
  const most = (of: (result: RoundResult) => number) => Math.max(0, ...results.map(of))
  const least = (of: (result: RoundResult) => number) => {
    const known = results.map(of).filter(value => !Number.isNaN(value))
    return known.length === 0 ? Number.NaN : Math.min(...known)
  }
  return {
    answered: sum(({ verdict }) => verdict.answered),
    unknown: sum(({ verdict }) => verdict.unknown),
    refused: sum(({ verdict }) => verdict.refused),
    counted: sum(({ verdict }) => verdict.counted),
    lost: sum(({ verdict }) => verdict.lost.length),
    twice: sum(({ verdict }) => verdict.twice.length),
    recoveryMs: most(result => result.recoveryMs),
    redirectP99Ms: most(result => result.redirectP99Ms),
    logLines: most(result => result.logLines),
    availability: {
      R: least(({ availability }) => availability.R),
      P: least(({ availability }) => availability.P),
      S: least(({ availability }) => availability.S),
    },
  }
}

/** What each process wrote last: for a row that ended before its time. */
function lastWords(system: FaultSystem | undefined): string[] {
  return (system?.processes ?? []).map(part => {
    const lines = part.output().trim().split('\n').slice(-4)
    return `process ${part.pid}: ${lines.join(' / ')}`
  })
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && !error.message.includes(error.cause.message)
    ? `${error.message} (${error.cause.message})`
    : error.message
}
