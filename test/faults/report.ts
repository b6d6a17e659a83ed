import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { root } from '../support/processes.ts'
import type { Row } from './row.ts'
import type { RowReport } from './run-row.ts'

const percent = (value: number) => (Number.isNaN(value) ? '–' : `${Math.floor(value * 10) / 10} %`)
const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`

/** One line per row, followed by its failures, indented. */
export function reportLine(report: RowReport): string {
  const { row, availability } = report
  const line = [
    `${report.failures.length === 0 ? 'ok  ' : 'FAIL'} ${String(row.number).padStart(2)} ${row.title}:`,
    `answered ${report.answered}, unknown ${report.unknown}, refused ${report.refused}, counted ${report.counted},`,
    `lost ${report.lost}, twice ${report.twice}, recovered in ${seconds(report.recoveryMs)},`,
    `R ${percent(availability.R)} (p99 ${Math.round(report.redirectP99Ms)} ms) P ${percent(availability.P)} S ${percent(availability.S)},`,
    `log lines ${report.logLines} (${report.rounds} rounds, ${seconds(report.tookMs)})`,
  ].join(' ')
  return [line, ...report.failures.map(failure => `        ${failure}`)].join('\n')
}

export function skippedLine(row: Row, reason: string): string {
  return `skip ${String(row.number).padStart(2)} ${row.title}: ${reason}`
}

/**
 * Writes the table and the machine it was measured on, after every row. Rows that were not run keep their earlier
 * results, so an interrupted run, or a run of one row, loses nothing.
 */
export function writeResults(
  reports: (RowReport | { row: Row; skipped: string })[],
  run: { seed: string },
): void {
  const folder = join(root, 'test/faults/results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'faults.md')
  const lines = existsSync(file) ? linesByRow(readFileSync(file, 'utf8')) : new Map<number, string>()
  const conditions = `${new Date().toISOString().slice(0, 10)}, seed ${run.seed}`
  for (const report of reports) lines.set(report.row.number, resultLine(report, conditions))
  const table = [...lines].sort(([a], [b]) => a - b).map(([, line]) => line)
  const text = `# The fault matrix, measured

\`npm run test:faults\`, each row as last run; ${cpus().length} processors, Node ${process.version.slice(1)}, ${version('redis-server')}, PostgreSQL 18 (embedded).

Counts are sums over all rounds. Recovery is the longest time from the end of a fault until every visit with a 307 was counted. R (redirects of cached links, with the 99th percentile of their time), P (POST /shorten) and S (statistics) are the shares of requests that succeeded during the fault, in the worst round. Unknown: the client never received a complete response; such a visit may be counted, once.

| # | fault | promise | rounds | answered | unknown | refused | counted | lost | twice | recovery | R (p99) | P | S | run |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
${table.join('\n')}
`
  // Renamed into place: an interrupted run never leaves half a file.
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

function resultLine(report: RowReport | { row: Row; skipped: string }, conditions: string): string {
  const { number, title } = report.row
  if ('skipped' in report) return `| ${number} | ${title} | skipped: ${report.skipped} |${' |'.repeat(12)}`
  const { availability } = report
  const cells = [
    number,
    title,
    report.failures.length === 0 ? 'holds' : '**broken**',
    report.rounds,
    report.answered,
    report.unknown,
    report.refused,
    report.counted,
    report.lost,
    report.twice,
    seconds(report.recoveryMs),
    `${percent(availability.R)} (${Math.round(report.redirectP99Ms)} ms)`,
    percent(availability.P),
    percent(availability.S),
    conditions,
  ]
  return `| ${cells.join(' | ')} |`
}

function linesByRow(text: string): Map<number, string> {
  return new Map([...text.matchAll(/^\| (\d+) \|.*$/gm)].map(([line, number]) => [Number(number), line]))
}

function version(command: string): string {
  try {
    const output = execFileSync(command, ['--version'], { encoding: 'utf8' })
    return `Redis ${/v=([\d.]+)/.exec(output)?.[1] ?? output.trim()}`
  } catch {
    return 'no Redis'
  }
}
