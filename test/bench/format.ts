import type { Cell, Goal } from './bench-part.ts'
import { isReached } from './bench-part.ts'

/** Three significant digits, with thousands separators. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** The median, with its range if there is more than one measurement. */
export function cell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (value.count < 2 || value.min === value.max) return number(value.median)
  return `${number(value.median)} (${number(value.min)}–${number(value.max)})`
}

export function goalCells(goal: Goal): string[] {
  const unit = goal.unit === '' || goal.unit === '×' || goal.unit === '/s' ? goal.unit : ` ${goal.unit}`
  return [
    goal.what,
    `${goal.must === 'at least' ? '≥' : '≤'} ${number(goal.bound)}${unit}`,
    goal.measured === undefined ? 'not measured' : `${number(goal.measured)}${unit}`,
    isReached(goal) ? 'yes' : '**no**',
  ]
}

export function markdownTable(columns: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  )
}

/** For a terminal: columns of equal width. */
export function textTable(columns: string[], rows: string[][]): string {
  const all = [columns, ...rows]
  const widths = columns.map((_, i) => Math.max(...all.map(cells => (cells[i] ?? '').length)))
  return all
    .map(cells =>
      cells
        .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
