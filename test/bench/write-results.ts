/** Writes results/<part>.md and .svg, and results/README.md, which puts together the latest of every part. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PartResult, Table } from './bench-part.ts'
import { cell, goalCells, markdownTable } from './format.ts'
import { drawPlot } from './plot.ts'

export const resultsFolder = fileURLToPath(new URL('results', import.meta.url))

export const goalColumns = ['goal', 'asked', 'measured', 'reached']

export function writePart(options: {
  folder: string
  name: string
  title: string
  result: PartResult
  conditions: string[]
}): void {
  const { folder, name, title, result, conditions } = options
  mkdirSync(folder, { recursive: true })
  const parts = [
    `# ${title}`,
    `Written by \`pnpm bench ${name}\`. Medians, in brackets the lowest and the highest measurement.`,
    ...(result.goals.length > 0
      ? [`<!-- goals -->\n${markdownTable(goalColumns, result.goals.map(goalCells))}\n<!-- end of goals -->`]
      : []),
    `![${result.plot.title}](${name}.svg)`,
    ...result.tables.map(printTable),
    list(result.notes),
    list(conditions),
  ]
  writeFileSync(join(folder, `${name}.md`), `${parts.filter(part => part !== '').join('\n\n')}\n`)
  writeFileSync(join(folder, `${name}.svg`), drawPlot(result.plot))
}

function printTable(table: Table): string {
  const rows = table.rows.map(row => [row.what, ...row.cells.map(cell)])
  return `## ${table.title}\n\n${markdownTable(['', ...table.columns], rows)}`
}

function list(lines: string[]): string {
  return lines.map(line => `- ${line}`).join('\n')
}

/** Goals of all parts that have been measured, each part as it was measured last. */
export function writeOverview(folder: string, names: string[]): void {
  mkdirSync(folder, { recursive: true })
  const measured = names.flatMap(name => {
    const file = join(folder, `${name}.md`)
    return existsSync(file) ? [{ name, text: readFileSync(file, 'utf8') }] : []
  })
  const goals = measured.flatMap(({ name, text }) =>
    goalLines(text).map(line => line.replace('| ', `| [${name}](${name}.md) | `)),
  )
  const header = markdownTable(['part', ...goalColumns], [])
  const sections = measured.map(({ name, text }) =>
    text.replace(/^# /, `## ${name}: `).replaceAll(/^## (?!\S+: )/gm, '### '),
  )
  const introduction = `# Measured

Written by \`pnpm bench\`, which runs on any machine; \`pnpm bench redirect\` runs one part. Each part measures Hopcount and
its yardsticks in turn in one run, what \`npm start\` runs on one side, the least that could do the same on the other. All
on loopback. CPU time is user and system time of the server's processes over the run, by requests: it moves far less than
throughput on a machine that is shared.`
  writeFileSync(
    join(folder, 'README.md'),
    `${[introduction, [header, ...goals].join('\n'), ...sections].join('\n\n').trimEnd()}\n`,
  )
}

function goalLines(text: string): string[] {
  const table = /<!-- goals -->\n([\s\S]*?)\n<!-- end of goals -->/.exec(text)?.[1] ?? ''
  return table.split('\n').slice(2)
}
