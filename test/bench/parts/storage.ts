import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { decodeBatch } from '../../../apps/shared/visits/decode-batch.ts'
import { unpackFrames } from '../../../apps/shared/visits/pack-frames.ts'
import type { Visit } from '../../../apps/shared/visits/visit-batch.ts'
import { parseVisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import type { BenchPart, BenchSettings } from '../bench-part.ts'
import { drawVisits } from '../draw-visits.ts'
import { recordQueue } from '../record-queue.ts'
import { loadRedirects } from '../redirect-load.ts'
import type { Services } from '../services.ts'
import { api, drain, seed, segmentsIn, startServices, withDatabase } from '../services.ts'
import { summarize } from '../summary.ts'
import { growth, isRaw, tableSizes, totalBytes } from '../table-sizes.ts'

const links = 20_000
/** Recorded before sizes are compared. */
const visitsBefore = 100

/** Measures bytes, not time, so one round is enough. */
export const storage: BenchPart = {
  title: 'Bytes per visit, recorded and waiting',
  async run(settings) {
    const services = await startServices()
    const count = settings.queued
    const mixed = await recorded(services, 'mixed', drawVisits(count, links))
    const unique = await recorded(services, 'unique', uniqueVisits(count))
    const waiting = await waitingBytes(settings, services)
    const one = (value: number) => summarize([value])
    return {
      goals: [
        {
          what: 'bytes in PostgreSQL per raw visit, including indexes',
          measured: mixed.raw,
          must: 'at most',
          bound: 80,
          unit: 'bytes',
        },
        {
          what: 'bytes in PostgreSQL per visit, with aggregates, unique visitors and the ledger',
          measured: mixed.raw + mixed.other,
          must: 'at most',
          bound: 250,
          unit: 'bytes',
        },
        {
          what: 'unique user agents and referrers compared with storing them inline',
          measured: unique.raw / unique.inline,
          must: 'at most',
          bound: 1,
          unit: '×',
        },
        {
          what: 'bytes per waiting visit in the spool',
          measured: waiting.spool,
          must: 'at most',
          bound: 100,
          unit: 'bytes',
        },
        {
          what: 'bytes per waiting visit in the queue',
          measured: waiting.queue,
          must: 'at most',
          bound: 60,
          unit: 'bytes',
        },
      ],
      tables: [
        {
          title: `PostgreSQL, ${count} visits each`,
          columns: ['bytes per raw visit', 'the same inline', '× inline', 'everything else'],
          rows: [
            {
              what: 'a realistic mix',
              cells: [one(mixed.raw), one(mixed.inline), one(mixed.raw / mixed.inline), one(mixed.other)],
            },
            {
              what: 'every user agent and referrer unique',
              cells: [
                one(unique.raw),
                one(unique.inline),
                one(unique.raw / unique.inline),
                one(unique.other),
              ],
            },
          ],
        },
        {
          title: 'Tables, the realistic mix',
          columns: ['bytes per visit', 'rows', 'bytes per row'],
          rows: mixed.tables.map(({ table, perVisit, rows, perRow }) => ({
            what: table,
            cells: [one(perVisit), one(rows), one(perRow)],
          })),
        },
        {
          title: 'Waiting, a realistic mix, as left by an API at full load',
          columns: ['bytes per visit', 'visits'],
          rows: [
            { what: 'spool, all segments', cells: [one(waiting.spool), one(waiting.spoolVisits)] },
            {
              what: 'queue, memory of the jobs in Redis',
              cells: [one(waiting.queue), one(waiting.queueVisits)],
            },
          ],
        },
      ],
      plot: {
        title: 'Bytes per visit',
        unit: 'bytes',
        bars: [
          { label: 'PostgreSQL, mixed', value: one(mixed.raw) },
          { label: 'PostgreSQL, mixed, inline', value: one(mixed.inline) },
          { label: 'PostgreSQL, unique', value: one(unique.raw) },
          { label: 'PostgreSQL, unique, inline', value: one(unique.inline) },
          { label: 'spool', value: one(waiting.spool) },
          { label: 'queue', value: one(waiting.queue) },
        ],
      },
      notes: [
        `Raw visits: visits, and texts, the dictionary of user agents and referrers. Everything else: what all other tables grew by. Sizes include indexes, TOAST and free space (pg_total_relation_size), minus those after ${visitsBefore} visits. Written by a real worker from a full queue.`,
        'Inline: the same visits in one table with both texts in the row and the same indexes.',
        'The mix: 12 families of user agents in up to 60 versions, 10 families of referrers with up to 1,000 pages, both drawn by Zipf’s law; 55 % have a referrer. Aggregates of few visits over many links are large per visit; they don’t grow with further visits in the same quarter hour. Nearly every visit is of another visitor.',
        'Queue: MEMORY USAGE of each job’s key and of the lists in Redis, divided by the visits in those jobs.',
      ],
    }
  },
}

function uniqueVisits(count: number): Visit[] {
  return drawVisits(count, links).map(visit => ({
    linkId: visit.linkId,
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${randomBytes(8).toString('hex')} Safari/537.36`,
    referrer: `https://www.example.org/search/results/${randomBytes(12).toString('hex')}`,
  }))
}

/** Bytes per visit after a worker has recorded the visits in a separate database. */
async function recorded(services: Services, name: string, visits: Visit[]) {
  const own = await withDatabase(services, name)
  // Makes partitions, which have a size before they have rows.
  await recordQueue(own, visits.slice(0, visitsBefore), 1)
  const empty = await vacuumedSizes(own)
  await recordQueue(own, visits.slice(visitsBefore), 1)
  const tables = growth(empty, await vacuumedSizes(own))
  const count = visits.length - visitsBefore
  const raw = tables.filter(isRaw)
  return {
    raw: totalBytes(raw) / count,
    other: (totalBytes(tables) - totalBytes(raw)) / count,
    tables: tables.map(({ table, bytes, rows }) => ({
      table,
      perVisit: bytes / count,
      rows,
      perRow: bytes / rows,
    })),
    inline: (await inlineBytes(own, visits.slice(visitsBefore))) / count,
  }
}

async function vacuumedSizes({ pool }: Services) {
  await pool.query('VACUUM')
  return tableSizes(pool)
}

/** Bytes of the same visits with the texts in the row and the indexes of raw visits on link and time. */
async function inlineBytes({ pool }: Services, visits: Visit[]): Promise<number> {
  await pool.query(
    'CREATE TABLE inline_visits (link_id bigint NOT NULL, visited_at timestamptz(3) NOT NULL, referrer text, user_agent text)',
  )
  const { rows } = await pool.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE tablename = 'visits' AND indexdef !~ 'referrer|user_agent'`,
  )
  for (const { indexdef } of rows)
    await pool.query(indexdef.replace(/INDEX \S+ ON (ONLY )?\S+/, 'INDEX ON inline_visits'))
  for (let from = 0; from < visits.length; from += 16_000) {
    const some = visits.slice(from, from + 16_000)
    await pool.query(
      `INSERT INTO inline_visits SELECT link_id, now() + $4::integer * interval '1 millisecond', referrer, user_agent
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS visit (link_id, referrer, user_agent)`,
      [some.map(v => v.linkId), some.map(v => v.referrer ?? null), some.map(v => v.userAgent ?? null), from],
    )
  }
  await pool.query('VACUUM inline_visits')
  return totalBytes((await tableSizes(pool)).filter(({ table }) => table === 'inline_visits'))
}

/** What an API leaves in the spool and the queue while no worker runs. */
async function waitingBytes(settings: BenchSettings, services: Services) {
  const own = await withDatabase(services, 'waiting')
  await seed(own, links)
  const running = await api(own)
  await loadRedirects(
    settings,
    { origin: running.origin, pids: [] },
    { links, visitors: 'mix', seconds: Math.min(3, settings.seconds) },
  )
  await new Promise(resolve => setTimeout(resolve, 500))
  let spoolBytes = 0
  let spoolVisits = 0
  for (const name of segmentsIn(running.spoolDir)) {
    const file = join(running.spoolDir, name)
    spoolBytes += statSync(file).size
    spoolVisits += decodeBatch(readFileSync(file)).visits.length
  }
  const redis = new Redis(own.redis.url)
  let queueBytes = 0
  let queueVisits = 0
  for (const key of await redis.keys('{hopcount}:visit-batches*')) {
    queueBytes += Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'))
    if ((await redis.type(key)) !== 'hash') continue
    const job = parseVisitJob(JSON.parse((await redis.hget(key, 'data')) ?? 'null'))
    if (job !== undefined)
      queueVisits += decodeBatch(unpackFrames(job.frames) ?? Buffer.alloc(0)).visits.length
  }
  await redis.quit()
  await drain(own, running)
  return {
    spool: spoolBytes / spoolVisits,
    spoolVisits,
    queue: queueBytes / queueVisits,
    queueVisits,
  }
}
