/** Writes results/<processor>/<part>.md and .svg. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PartResult, Table } from './bench-part.ts'
import { cell, goalCells, markdownTable } from './format.ts'
import { drawPlot } from './plot.ts'

export const resultsFolder = fileURLToPath(new URL('results', import.meta.url))

export const goalColumns = ['goal', 'target', 'measured', 'reached']

export function writePart(options: {
  /** Of all results. */
  folder: string
  /** The folder within it. */
  processor: string
  name: string
  title: string
  result: PartResult
  conditions: string[]
}): void {
  const { name, title, result, conditions } = options
  const folder = join(options.folder, options.processor)
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
