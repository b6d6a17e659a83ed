/**
 * The orders of a list.
 *
 * By creation: newest or oldest first.
 *
 * By visits: those with the highest value first, and of equal ones the oldest; then all that have no visits, or did not
 * grow, newest first. Few links are ranked exactly, all of them. Among many the list follows the ranking of all links
 * (top-links) and shows those that match; a page ends where it has looked at so many, and leads on from there.
 */
import type { Database } from '@hopcount/shared/database/query-builder.ts'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { rankLinks, rankLinksBefore, valuesOf } from '../../stats/top-links/rank-links.ts'
import type { RankedLink, TopSort } from '../../stats/top-links/ranked-page.ts'
import type { TopWindow } from '../../stats/top-links/top-window.ts'
import type { Sample } from './count-links.ts'
import type { ListFilter, Order } from './list-conditions.ts'
import type { FindPart, ListOrder, Part, Place } from './list-page.ts'
import { findLinks } from './list-queries.ts'
import { matchesAmong } from './walk-links.ts'

/** Up to that many links are ranked by looking at each of them. */
export const maxRanked = 5_000
const unvisitedChunk = 200
/** Chunks that a page looks at. */
const maxChunks = 3
/** Links of the ranking that a chunk has. In a window each costs more the more are ranked. */
const rankChunk = (window: TopWindow | undefined) => (window === undefined ? 2_000 : 200)

/** @param sample the first links, if they are known */
export function orderByCreation(
  pool: Pool,
  filter: ListFilter,
  order: Order,
  sample: Sample | undefined,
): ListOrder {
  const isNewest = order === 'newest'
  return {
    async find({ isBackwards, from, limit }) {
      if (
        sample !== undefined &&
        isNewest &&
        from === undefined &&
        (sample.isComplete || sample.ids.length >= limit)
      ) {
        const places = sample.ids.slice(0, limit).map(placeOf)
        return { places, next: sample.ids.length > limit ? places.at(-1) : undefined }
      }
      const sort = isNewest === isBackwards ? 'oldest' : 'newest'
      const { ids, next } = await findLinks(pool, { ...filter, sort, limit, after: from?.linkId })
      return { places: ids.map(placeOf), next: next === undefined ? undefined : placeOf(next) }
    },
    isNewestFirst: () => isNewest,
    write: ({ linkId }) => String(linkId),
  }
}

export interface Ranking {
  sort: TopSort
  window: TopWindow | undefined
}

/** @param sample at least the first links; undefined: there are more than `maxRanked` */
export async function orderByVisits(
  pool: Pool,
  database: Database,
  filter: ListFilter,
  { sort, window }: Ranking,
  sample: Sample | undefined,
): Promise<ListOrder> {
  // The last visit is that of all time, whatever is counted.
  const ranking = { sort, window: sort === 'last_visit' ? undefined : window }
  return {
    find: sample?.isComplete
      ? findAmong(sortPlaces(await readValues(database, sample.ids, ranking)))
      : findInRanking(pool, database, filter, ranking),
    isNewestFirst: value => value === 0,
    write: ({ value, linkId }) => `${value}.${linkId}`,
  }
}

function placeOf(linkId: number): Place {
  return { value: 0, linkId }
}

/** Links without visits, or that did not grow, have the value 0. */
async function readValues(database: Database, ids: number[], ranking: Ranking): Promise<Place[]> {
  const links = sql`SELECT unnest(${ids}::bigint[]) AS id`
  const { rows } = await sql<RankedLink>`
    SELECT link_id AS "linkId", greatest(value, 0) AS value FROM (${valuesOf(links, ranking)}) AS valued`.execute(
    database,
  )
  return rows
}

function sortPlaces(places: Place[]): Place[] {
  return places.sort(compare)
}

function compare(a: Place, b: Place): number {
  return b.value - a.value || (a.value === 0 ? b.linkId - a.linkId : a.linkId - b.linkId)
}

function findAmong(sorted: Place[]): FindPart {
  return async ({ isBackwards, from, limit }) => {
    const order = isBackwards ? sorted.toReversed() : sorted
    const rest =
      from === undefined
        ? order
        : order.filter(place => (isBackwards ? compare(place, from) < 0 : compare(place, from) > 0))
    const places = rest.slice(0, limit)
    return { places, next: rest.length > limit ? places.at(-1) : undefined }
  }
}

function findInRanking(pool: Pool, database: Database, filter: ListFilter, ranking: Ranking): FindPart {
  return ({ isBackwards, from, limit }) => (isBackwards ? findBefore(from, limit) : findAfter(from, limit))

  async function findAfter(from: Place | undefined, limit: number): Promise<Part> {
    if (from?.value === 0) return findUnvisited('newest', from.linkId, limit)
    const visited = await findVisited(from, limit, false)
    if (visited.next !== undefined) return visited
    return join(visited, await findUnvisited('newest', undefined, limit - visited.places.length))
  }

  async function findBefore(from: Place | undefined, limit: number): Promise<Part> {
    if (from === undefined || from.value > 0) return findVisited(from, limit, true)
    const unvisited = await findUnvisited('oldest', from.linkId, limit)
    if (unvisited.next !== undefined) return unvisited
    return join(unvisited, await findVisited(placeOf(0), limit - unvisited.places.length, true))
  }

  async function findVisited(from: Place | undefined, limit: number, isBackwards: boolean): Promise<Part> {
    const places: Place[] = []
    let next = from
    for (let chunk = 0; chunk < maxChunks; chunk++) {
      // Most often nearly all match.
      const size = chunk === 0 ? limit + 10 : rankChunk(ranking.window)
      const ranked = await rank(next, size, isBackwards)
      const matching = new Set(
        await matchesAmong(
          database,
          filter,
          ranked.map(({ linkId }) => linkId),
        ),
      )
      places.push(...ranked.filter(({ linkId }) => matching.has(linkId)))
      if (places.length >= limit) return { places: places.slice(0, limit), next: places[limit - 1] }
      if (ranked.length < size) return { places, next: undefined }
      next = ranked.at(-1)
    }
    return { places, next }
  }

  /** Only links with a value above 0. */
  async function rank(from: Place | undefined, limit: number, isBackwards: boolean): Promise<Place[]> {
    const query = { ...ranking, limit, matching: undefined, after: from }
    const ranked = await database
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(snapshot =>
        isBackwards && from !== undefined
          ? rankLinksBefore(snapshot, query, from)
          : rankLinks(snapshot, query),
      )
    return ranked.filter(({ value }) => value > 0)
  }

  async function findUnvisited(sort: Order, after: number | undefined, limit: number): Promise<Part> {
    const places: Place[] = []
    let next = after
    for (let chunk = 0; chunk < maxChunks; chunk++) {
      const found = await findLinks(pool, {
        ...filter,
        sort,
        limit: Math.max(limit, unvisitedChunk),
        after: next,
      })
      const values = await readValues(database, found.ids, ranking)
      const unvisited = new Set(values.filter(({ value }) => value === 0).map(({ linkId }) => linkId))
      places.push(...found.ids.filter(id => unvisited.has(id)).map(placeOf))
      if (places.length >= limit) return { places: places.slice(0, limit), next: places[limit - 1] }
      next = found.next
      if (next === undefined) return { places, next: undefined }
    }
    return { places, next: next === undefined ? undefined : placeOf(next) }
  }
}

function join(first: Part, second: Part): Part {
  return { places: [...first.places, ...second.places], next: second.next }
}
