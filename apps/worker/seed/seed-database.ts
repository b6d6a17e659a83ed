/**
 * Fills a database with links and visits exactly as a worker would have written them: all aggregates and the ledger's sum
 * agree with the raw visits, which are drawn by Zipf's law over the links and spread over the days. Visitors have no
 * addresses: each is a random number, stored for days whose visitors are still kept.
 *
 * Everything but the day partitions, which would block workers, is one transaction: a seed that is interrupted leaves
 * nothing behind. Existing data stays unchanged; only slugs that already exist make the seed fail.
 */
import { randomInt, randomUUIDv7 } from 'node:crypto'
import { inTransaction } from '@hopcount/shared/database/in-transaction.ts'
import { dayMs, dayNumber } from '@hopcount/shared/days.ts'
import { letterCode } from '@hopcount/shared/letter-codes.ts'
import type { Pool, PoolClient } from 'pg'
import { readKeptDays, sumOptions } from '../recount/kept-days.ts'
import { clearRawDay, createRawDay, sumRawDay } from '../recount/raw-day.ts'
import type { SeedOptions } from './seed-options.ts'
import type { SeedTexts } from './seed-queries.ts'
import {
  analyzeSeedLinks,
  createSeedTables,
  drawVisits,
  enterSeedLedger,
  insertSeedDay,
  insertSeedLinks,
  makePartitions,
  numberSeedTexts,
  vacuumSeeded,
} from './seed-queries.ts'
import { addToAllLinks, insertSeedTotals } from './seed-sums.ts'
import {
  countries,
  languages,
  referrerNumbers,
  referrerShare,
  referrers,
  userAgentNumbers,
  userAgents,
  visitorsPerVisit,
} from './seed-visitors.ts'

const linksPerStatement = 100_000
/** Few enough for the draw of one statement to stay in memory. */
const visitsPerStatement = 1_000_000
const visitsPerBatch = 16_000
const quarterMs = 15 * 60 * 1_000

export async function seedDatabase(
  pool: Pool,
  options: SeedOptions,
  say: (text: string) => void,
): Promise<void> {
  const now = Date.now()
  const from = floorTo(now - options.days * dayMs, quarterMs)
  if (options.visits > 0) {
    const made = await makePartitions(pool, new Date(from), new Date(now))
    say(`${made} day partitions created`)
  }
  // Committed separately, as a worker does, so that nobody waits for these rows.
  const visitors = await numberVisitors(pool)
  const seed = async (client: PoolClient) => {
    await createRawDay(client)
    await createSeedTables(client)
    await seedLinks(client, options, new Date(from), say)
    if (options.visits > 0) await seedVisits(client, options, { from, to: now }, visitors, say)
  }
  // The lock that any INSERT takes: from now on no day's visitors are retired.
  await inTransaction(pool, seed, {
    first: 'SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE visitors IN ROW EXCLUSIVE MODE',
  })
  await vacuumSeeded(pool)
  say('done')
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
  visitors: SeedVisitors,
  say: (text: string) => void,
): Promise<void> {
  const producerId = randomUUIDv7()
  const kept = await readKeptDays(client)
  const visitsUpTo = (time: number) => Math.round(((time - span.from) / (span.to - span.from)) * visits)
  let seq = 1
  for (const ofDay of daysOf(span)) {
    const visitsOfDay = visitsUpTo(ofDay.to) - visitsUpTo(ofDay.from)
    await clearRawDay(client)
    for (const part of divide(ofDay, visitsOfDay)) {
      const count = visitsUpTo(part.to) - visitsUpTo(part.from)
      await drawVisits(client, {
        from: new Date(part.from),
        to: new Date(part.to),
        visits: count,
        links,
        visitors: Math.ceil(visitsOfDay * visitorsPerVisit),
        ...visitors,
      })
      seq += await enterSeedLedger(client, {
        producerId,
        firstSeq: seq,
        visits: count,
        batchVisits: visitsPerBatch,
      })
    }
    const day = dayNumber(ofDay.from)
    await sumRawDay(client, { ...sumOptions(kept, day, span.to), uniques: 'drawn' })
    await insertSeedDay(client, day, { withVisitors: kept.visitors.has(day) })
    say(`${visitsUpTo(ofDay.to)} visits, up to ${new Date(ofDay.to).toISOString()}`)
  }
  await insertSeedTotals(client)
  await addToAllLinks(client)
  say('totals')
}

type SeedVisitors = Awaited<ReturnType<typeof numberVisitors>>

async function numberVisitors(pool: Pool) {
  return {
    userAgents: await numberFamilies(pool, userAgents, userAgentNumbers),
    referrers: await numberFamilies(pool, referrers, referrerNumbers),
    referrerShare,
    countries: countries.map(country => letterCode(country) ?? null),
    languages: languages.map(language => letterCode(language) ?? null),
    visitorSeed: randomInt(2 ** 48 - 1),
  }
}

async function numberFamilies(pool: Pool, families: string[], perFamily: number): Promise<SeedTexts> {
  const texts = families.flatMap(family =>
    Array.from({ length: perFamily }, (_, i) => family.replaceAll('{n}', String(i + 1))),
  )
  return { ids: await numberSeedTexts(pool, texts), families: families.length, perFamily }
}

interface Span {
  from: number
  to: number
}

/** The parts of a span, each within one day (UTC). */
function* daysOf(span: Span): Generator<Span> {
  for (let from = span.from; from < span.to; from = floorTo(from, dayMs) + dayMs)
    yield { from, to: Math.min(floorTo(from, dayMs) + dayMs, span.to) }
}

/** Parts small enough for one statement to draw their visits. */
function* divide(span: Span, visits: number): Generator<Span> {
  const parts = Math.ceil(visits / visitsPerStatement)
  const partMs = Math.ceil((span.to - span.from) / parts)
  for (let from = span.from; from < span.to; from += partMs)
    yield { from, to: Math.min(from + partMs, span.to) }
}

function floorTo(value: number, step: number): number {
  return value - (value % step)
}
