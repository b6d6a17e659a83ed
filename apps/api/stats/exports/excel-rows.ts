/**
 * Rows for people who open the file in Excel or another spreadsheet: times are local and in a form that every locale reads
 * as a time, and an empty value has a word.
 */
import type { ExportRows } from './export-rows.ts'

const timeColumns = new Set(['start', 'visited_at', 'created_at', 'valid_from', 'expires_at', 'last_visit'])
/** What an empty value means, by column or dimension. */
const emptyWords: Record<string, string> = {
  referrer: 'direct',
  source: 'direct',
  country: 'unknown',
  language: 'unknown',
  os: 'unknown',
  device: 'unknown',
  channel: 'not recorded',
  bot: 'human',
  bot_group: 'human',
}

export function excelRows({ columns, chunks, ...rest }: ExportRows, zone: string): ExportRows {
  const writeTime = timeWriter(zone)

  const cellOf = (column: string, value: unknown, dimension: unknown) => {
    if (timeColumns.has(column)) return typeof value === 'string' ? writeTime(value) : value
    // As lists show it. Excel would take a slug such as 1e5 or 2026-11 for a number or a date.
    if (column === 'slug') return `/${value}`
    if (column === 'value' && value === '*') return 'all others'
    if (value !== '' && value !== null) return value
    return emptyWords[column === 'value' ? String(dimension) : column] ?? ''
  }

  async function* written() {
    for await (const rows of chunks)
      yield rows.map(row => {
        const values: Record<string, unknown> = { ...row }
        for (const column of columns) values[column] = cellOf(column, values[column], values.dimension)
        return values
      })
  }

  return { ...rest, columns, chunks: written() }
}

/** `2026-11-27 14:05:09`: Swedish is written as ISO 8601, but for a space. */
function timeWriter(zone: string): (time: string) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  return time => format.format(new Date(time))
}

/** The local days of a range, for a file's name. */
export function localDays({ from, to }: { from: Date; to: Date }, zone: string): string[] {
  const writeTime = timeWriter(zone)
  const dayOf = (time: number) => writeTime(new Date(time).toISOString()).slice(0, 10)
  return [...new Set([dayOf(from.getTime()), dayOf(Math.max(from.getTime(), to.getTime() - 1))])]
}
