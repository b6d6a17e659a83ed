/**
 * Fills a database with links and visits, truthfully: what a worker would have written. Totals, quarter hours and the
 * ledger's sum agree with the raw visits, which are drawn by a Zipf law over the links and spread over the days.
 *
 * All of it is one transaction (but for the day partitions, which would keep workers waiting): a seed that is ended half-way leaves nothing. What is
 * in the database already stays; only slugs that exist make it fail.
 */
import { randomUUIDv7 } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import type { SeedOptions } from './seed-options.ts'
import type { SeedTexts } from './seed-queries.ts'
import {
  analyzeSeedLinks,
  createSeedTables,
  enterSeedLedger,
  insertSeedLinks,
  insertSeedTotals,
  insertSeedVisits,
  makePartitions,
  numberSeedTexts,
  vacuumSeeded,
} from './seed-queries.ts'
import { referrerNumbers, referrerShare, referrers, userAgentNumbers, userAgents } from './seed-visitors.ts'

const linksPerStatement = 100_000
/** What a statement's draw takes stays in memory. */
const visitsPerStatement = 1_000_000
const visitsPerBatch = 16_000
const quarterMs = 15 * 60 * 1_000
const dayMs = 24 * 60 * 60 * 1_000

export async function seedDatabase(
  pool: Pool,
  options: SeedOptions,
  say: (text: string) => void,
): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(`SET work_mem = '256MB'; SET idle_in_transaction_session_timeout = 0`)
    const now = Date.now()
    const from = floorTo(now - options.days * dayMs, quarterMs)
    if (options.visits > 0) {
      const made = await makePartitions(client, new Date(from), new Date(now))
      say(`${made} day partitions made`)
    }
    await client.query('BEGIN')
    await createSeedTables(client)
    await seedLinks(client, options, new Date(from), say)
    if (options.visits > 0) await seedVisits(client, options, { from, to: now }, say)
    await client.query('COMMIT')
    await vacuumSeeded(client)
    say('done')
  } finally {
    // Its settings and temporary tables end with the session.
    client.release(true)
  }
}

async function seedLinks(
  client: PoolClient,
  { links, slugPrefix }: SeedOptions,
  createdAt: Date,
  say: (text: string) => void,
): Promise<void> {
  for (let from = 1; from <= links; from += linksPerStatement) {
    const to = Math.min(from + linksPerStatement - 1, links)
    await insertSeedLinks(client, { slugPrefix, from, to, createdAt })
  }
  await analyzeSeedLinks(client)
  say(`${links} links`)
}

async function seedVisits(
  client: PoolClient,
  { links, visits }: SeedOptions,
  span: Span,
  say: (text: string) => void,
): Promise<void> {
  const producerId = randomUUIDv7()
  const visitors = {
    userAgents: await numberFamilies(client, userAgents, userAgentNumbers),
    referrers: await numberFamilies(client, referrers, referrerNumbers),
    referrerShare,
  }
  let seq = 1
  let done = 0
  for (const part of divide(span, visits)) {
    const upTo = Math.round(((part.to - span.from) / (span.to - span.from)) * visits)
    const count = upTo - done
    if (count === 0) continue
    await insertSeedVisits(client, {
      from: new Date(part.from),
      to: new Date(part.to),
      visits: count,
      links,
      ...visitors,
    })
    seq += await enterSeedLedger(client, {
      producerId,
      firstSeq: seq,
      visits: count,
      batchVisits: visitsPerBatch,
    })
    done = upTo
    say(`${done} visits, up to ${new Date(part.to).toISOString()}`)
  }
  await insertSeedTotals(client)
  say('totals per link')
}

async function numberFamilies(client: PoolClient, families: string[], perFamily: number): Promise<SeedTexts> {
  const texts = families.flatMap(family =>
    Array.from({ length: perFamily }, (_, i) => family.replaceAll('{n}', String(i + 1))),
  )
  return { ids: await numberSeedTexts(client, texts), families: families.length, perFamily }
}

interface Span {
  from: number
  to: number
}

/** Days (UTC), divided further where one statement could not hold a day's visits. Parts meet at quarter hours. */
function* divide(span: Span, visits: number): Generator<Span> {
  const perMs = visits / (span.to - span.from)
  const longestMs = Math.max(quarterMs, floorTo(visitsPerStatement / perMs, quarterMs))
  let from = span.from
  while (from < span.to) {
    const endOfDay = floorTo(from, dayMs) + dayMs
    const to = Math.min(from + longestMs, endOfDay, span.to)
    yield { from, to }
    from = to
  }
}

function floorTo(value: number, step: number): number {
  return value - (value % step)
}
