/** Writes results/<part>.md and .svg, and results/README.md with the goals of every part as last measured. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PartResult, Table } from './bench-part.ts'
import { cell, goalCells, markdownTable } from './format.ts'
import { drawPlot } from './plot.ts'

export const resultsFolder = fileURLToPath(new URL('results', import.meta.url))

export const goalColumns = ['goal', 'target', 'measured', 'reached']

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
    `Written by \`npm run bench ${name}\`. Medians, with minimum and maximum in parentheses.`,
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

/** The goals of all parts measured so far, each as last measured. */
export function writeOverview(folder: string, names: string[]): void {
  mkdirSync(folder, { recursive: true })
  const measured = names.flatMap(name => {
    const file = join(folder, `${name}.md`)
    return existsSync(file) ? [{ name, text: readFileSync(file, 'utf8') }] : []
  })
  const goals = measured.flatMap(({ name, text }) =>
    goalLines(text).map(line => line.replace('| ', `| [${name}](${name}.md) | `)),
  )
  const table = [markdownTable(['part', ...goalColumns], []), ...goals].join('\n')
  const environment = [...new Set(measured.flatMap(({ text }) => environmentLines(text)))].join('\n')
  writeFileSync(join(folder, 'README.md'), `${[introduction, environment, table].join('\n\n')}\n`)
}

const introduction = `# Benchmark results

Written by \`npm run bench\`; \`npm run bench redirect\` measures one part. Each part measures Hopcount and its yardsticks
alternately in one run, on loopback. Ratios are computed per round; the table shows their medians. CPU time is user and system
time of the server's processes divided by requests: on a shared machine it varies far less than throughput. Each part's page
has its tables, ranges and conditions.`

/** Machine, versions and core pinning, which most parts share. */
function environmentLines(text: string): string[] {
  return text.split('\n').filter(line => /^- (?:machine|versions|pinning): /.test(line))
}

function goalLines(text: string): string[] {
  const table = /<!-- goals -->\n([\s\S]*?)\n<!-- end of goals -->/.exec(text)?.[1] ?? ''
  return table.split('\n').slice(2)
}
