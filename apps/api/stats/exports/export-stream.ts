/** Rows as a stream of CSV (RFC 4180) or NDJSON, in constant memory, that a client can't stall forever. */
import { Readable } from 'node:stream'
import type { ExportRows } from './export-rows.ts'

export type ExportFormat = 'csv' | 'ndjson'

/** A client holds a database connection, so it is disconnected when it reads nothing for this long, or takes too long. */
const maxIdleMs = 30_000
export const maxExportMs = 15 * 60_000

export async function exportStream(rows: ExportRows, format: ExportFormat): Promise<Readable> {
  const lines = format === 'csv' ? await csvLines(rows) : ndjsonLines(rows)
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

/** A cell that a spreadsheet would take for a formula is prefixed with an apostrophe (OWASP, CSV injection). */
async function csvLines({ columns, chunks }: ExportRows): Promise<AsyncIterable<string>> {
  const { stringify } = await import('csv-stringify/sync')
  const options = {
    columns,
    escape_formulas: true,
    record_delimiter: 'windows',
    // By default csv-stringify quotes only cells that contain the whole delimiter, not a lone CR or LF.
    quoted_match: /[\r\n]/,
  } as const
  return (async function* () {
    yield stringify([columns], { record_delimiter: 'windows' })
    for await (const rows of chunks) if (rows.length > 0) yield stringify(rows, options)
  })()
}

async function* ndjsonLines({ chunks }: ExportRows): AsyncIterable<string> {
  for await (const rows of chunks)
    if (rows.length > 0) yield rows.map(row => `${JSON.stringify(row)}\n`).join('')
}
