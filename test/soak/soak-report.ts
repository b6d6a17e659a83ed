import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chooseCores } from '../bench/cores.ts'
import { markdownTable, number, textTable } from '../bench/format.ts'
import { describeMachine } from '../bench/machine.ts'
import type { Verdict } from '../support/checker.ts'
import { root } from '../support/processes.ts'
import type { Course } from './levels-off.ts'
import type { Series } from './sample-parts.ts'

export interface SoakReport {
  minutes: number
  perSecond: number
  sampleEveryMs: number
  courses: (Series & Course)[]
  /** Requests by kind. */
  sent: Map<string, number>
  unexpected: Map<string, number>
  requests: number
  shed: number
  unanswered: number
  leftOut: number
  /** Of the individually checked redirects; its differences are those of all visits. */
  verdict: Verdict
  exact: boolean
  /** Links whose count is not between answered and attempted. */
  outside: string[]
  /** Warnings and errors of all processes. */
  logged: string[]
}

/** A process logs a warning when the machine is slow for a moment; a constant stream of warnings is a fault itself. */
const mostLinesPerMinute = 60

/** The share of requests without a response within 10 s. A load average of 23 on two cores caused a handful. */
const mostUnanswered = 0.001

const columns = ['', 'start', 'middle', 'end', 'levels off']

export function hasFailed(report: SoakReport): boolean {
  return failures(report).length > 0
}

export function printReport(report: SoakReport): void {
  const lines = [textTable(columns, rows(report)), '', ...summary(report)]
  for (const failure of failures(report)) lines.push(`FAIL ${failure}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

export function writeReport(report: SoakReport): void {
  const folder = join(root, 'test/faults/results')
  mkdirSync(folder, { recursive: true })
  const failed = failures(report).map(failure => `- **fails**: ${failure}`)
  // The third line is about core pinning, which the soak test does not use.
  const [machine, versions] = describeMachine(chooseCores())
  const text = [
    '# Under a steady load',
    `\`npm run test:soak -- --minutes ${report.minutes} --rate ${report.perSecond}\`, ${new Date().toISOString().slice(0, 10)}. Medians of the three thirds after the warm-up (the first quarter of the run), one sample every ${report.sampleEveryMs / 1_000} s. All components and the load generator run on one machine.`,
    failed.length === 0 ? 'Everything levels off, and the counts are exact.' : failed.join('\n'),
    markdownTable(columns, rows(report)),
    [...summary(report), machine, versions].map(line => `- ${line}`).join('\n'),
  ]
  writeFileSync(join(folder, 'soak.md'), `${text.join('\n\n')}\n`)
}

function rows({ courses }: SoakReport): string[][] {
  return courses.map(({ what, unit, start, middle, end, levelsOff }) => [
    unit === '' ? what : `${what}, ${unit}`,
    ...[start, middle, end].map(number),
    levelsOff ? 'yes' : '**no**',
  ])
}

function summary(report: SoakReport): string[] {
  const { sent, requests, shed, unanswered, leftOut, verdict, outside, logged } = report
  const kinds = [...sent].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${number(count)} ${kind}`)
  return [
    `requests: ${number(requests)} (${kinds.join(', ')})`,
    `signs of a busy machine: ${shed} responses 503 (load shedding), ${unanswered} requests without a response within 10 s, ${leftOut} not sent because too many were in flight`,
    `links with a count between answered and attempted: ${outside.length === 0 ? 'all' : `all but ${outside.length}`}`,
    `individually checked redirects: ${number(verdict.answered)} answered, ${number(verdict.counted)} counted, ${verdict.lost.length} lost, ${verdict.twice.length} counted twice, ${verdict.invented.length} invented; ${verdict.differences.length} differences between raw visits, counters and ledger`,
    `warnings and errors logged by all processes: ${logged.length}${logged.length === 0 ? '' : `, first: \`${logged[0]?.slice(0, 200)}\``}`,
  ]
}

function failures(report: SoakReport): string[] {
  const { courses, unexpected, verdict, exact, outside, logged } = report
  const grown = courses.filter(course => !course.levelsOff)
  return [
    ...grown.map(({ what, unit, middle, end }) =>
      `${what} grows: ${number(middle)} → ${number(end)} ${unit}`.trimEnd(),
    ),
    ...[...unexpected].map(([response, times]) => `${times} unexpected responses, ${response}`),
    ...outside.slice(0, 5),
    ...(exact ? [] : [`counts are not exact: ${JSON.stringify(verdict).slice(0, 500)}`]),
    ...(report.unanswered > mostUnanswered * report.requests
      ? [`${report.unanswered} requests got no response`]
      : []),
    ...(logged.length > report.minutes * mostLinesPerMinute ? [`${logged.length} warnings and errors`] : []),
    ...logged.filter(line => line.includes('unexpected error')).map(line => `logged: ${line.slice(0, 300)}`),
  ]
}
