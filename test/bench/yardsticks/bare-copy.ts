/** Yardstick: `COPY` of the same rows into a table without indexes, on one connection. Rows are formatted beforehand. */
import pg from 'pg'
import copyStreams from 'pg-copy-streams'
import type { Visit } from '../../../apps/shared/visits/visit-batch.ts'
import { cpuSeconds } from '../process-usage.ts'
import type { RecordSample } from '../record-queue.ts'
import type { Services } from '../services.ts'
import { checkpoint } from '../services.ts'

const linesPerChunk = 1_000

export async function copyVisits(services: Services, visits: Visit[]): Promise<RecordSample> {
  const chunks = printRows(visits)
  await checkpoint(services)
  const client = new pg.Client({ connectionString: services.installation.databaseUrl })
  await client.connect()
  try {
    await client.query(
      'CREATE TABLE IF NOT EXISTS bare_copy (link_id bigint NOT NULL, visited_at timestamptz(3) NOT NULL, referrer text, user_agent text)',
    )
    const cpuBefore = { own: cpuSeconds(process.pid), postgres: cpuSeconds(services.postgres.pid) }
    const startedAt = performance.now()
    const stream = client.query(copyStreams.from('COPY bare_copy FROM STDIN'))
    const finished = new Promise<void>((resolve, reject) => {
      stream.once('finish', resolve)
      stream.once('error', reject)
    })
    for (const chunk of chunks) {
      if (!stream.write(chunk)) await new Promise<void>(resolve => stream.once('drain', resolve))
    }
    stream.end()
    await finished
    const seconds = (performance.now() - startedAt) / 1_000
    const each = 1e6 / visits.length
    return {
      visitsPerSecond: visits.length / seconds,
      workerCpuMicrosPerVisit: (cpuSeconds(process.pid) - cpuBefore.own) * each,
      postgresCpuMicrosPerVisit: (cpuSeconds(services.postgres.pid) - cpuBefore.postgres) * each,
    }
  } finally {
    await client.end()
  }
}

/** COPY's text format. These texts contain neither tabs nor backslashes. */
function printRows(visits: Visit[]): Buffer[] {
  const now = new Date().toISOString()
  const chunks: Buffer[] = []
  for (let from = 0; from < visits.length; from += linesPerChunk) {
    const lines = visits
      .slice(from, from + linesPerChunk)
      .map(
        ({ linkId, referrer, userAgent }) =>
          `${linkId}\t${now}\t${referrer ?? '\\N'}\t${userAgent ?? '\\N'}\n`,
      )
    chunks.push(Buffer.from(lines.join('')))
  }
  return chunks
}
