/** Rows as a stream of CSV (RFC 4180) or NDJSON, in constant memory, that a client can't stall forever. */
import { Readable } from 'node:stream'
import type { FileFormat } from './export-formats.ts'
import type { ExportRows } from './export-rows.ts'

/** A client holds a database connection, so it is disconnected when it reads nothing for this long, or takes too long. */
const maxIdleMs = 30_000
export const maxExportMs = 15 * 60_000

export async function exportStream(rows: ExportRows, { format, separator }: FileFormat): Promise<Readable> {
  const lines = format === 'ndjson' ? ndjsonLines(rows) : await csvLines(rows, format, separator)
  const stream = Readable.from(watched(lines), { objectMode: false, highWaterMark: 64 * 1024 })
  const end = setTimeout(() => stream.destroy(new Error('the export took too long')), maxExportMs)
  stream.once('close', () => clearTimeout(end))
  return stream

  async function* watched(lines: AsyncIterable<string>) {
    for await (const text of lines) {
      const idle = setTimeout(
        () => stream.destroy(new Error('the client stopped reading the export')),
        maxIdleMs,
      )
      try {
        yield text
      } finally {
        clearTimeout(idle)
      }
    }
  }
}

/**
 * Excel splits cells at the separator of its own locale, in quotes or not. What would follow the other one there must not be
 * a formula either. A line `sep=` that names the separator is no way out: after it, Excel no longer reads UTF-8.
 */
const excelOptions = {
  comma: { delimiter: ',', cast: { string: (text: string) => text.replace(/;(?=[=+@-])/g, ";'") } },
  semicolon: { delimiter: ';', cast: { string: (text: string) => text.replace(/,(?=[=+@-])/g, ",'") } },
}

/** A cell that a spreadsheet would take for a formula is prefixed with an apostrophe (OWASP, CSV injection). */
async function csvLines(
  { columns, chunks }: ExportRows,
  format: 'csv' | 'excel',
  separator: FileFormat['separator'],
): Promise<AsyncIterable<string>> {
  const { stringify } = await import('csv-stringify/sync')
  const options = {
    columns,
    escape_formulas: true,
    record_delimiter: 'windows',
    // By default csv-stringify quotes only cells that contain the whole delimiter, not a lone CR or LF.
    quoted_match: /[\r\n]/,
    ...(format === 'excel' && excelOptions[separator]),
  } as const
  const { delimiter = ',' } = format === 'excel' ? excelOptions[separator] : {}
  return (async function* () {
    const mark = format === 'excel' ? '\ufeff' : ''
    yield mark + stringify([columns], { record_delimiter: 'windows', delimiter })
    for await (const rows of chunks) if (rows.length > 0) yield stringify(rows, options)
  })()
}

async function* ndjsonLines({ chunks }: ExportRows): AsyncIterable<string> {
  for await (const rows of chunks)
    if (rows.length > 0) yield rows.map(row => `${JSON.stringify(row)}\n`).join('')
}
