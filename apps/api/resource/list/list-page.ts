/**
 * A page of a list, and where the pages before and after it begin. Both are found from the links at its ends, so paging
 * is exact in either direction while links are created and deleted.
 */

export interface Page {
  /** In the order of the list. */
  ids: number[]
  /** The value of `before` that leads to the page before; undefined: there is none. */
  prev: string | undefined
  /** The value of `after` that leads to the next page; undefined: there is none. */
  next: string | undefined
}

/** Where a link is in a list. In a list by creation every link has the same value. */
export interface Place {
  value: number
  linkId: number
}

export interface Part {
  places: Place[]
  /** The place behind which there may be more; undefined: there are none. */
  next: Place | undefined
}

/** Finds the links that follow a place, or from the beginning; backwards: those before it, nearest first. */
export type FindPart = (query: {
  isBackwards: boolean
  from: Place | undefined
  limit: number
}) => Promise<Part>

export interface PageQuery {
  limit: number
  /** At most one of them: the last link before the page, or the first one behind it. */
  after: Place | undefined
  before: Place | undefined
}

export interface ListOrder {
  find: FindPart
  /** Which of the links with one value come first. */
  isNewestFirst: (value: number) => boolean
  /** A place as it is in the query string. */
  write: (place: Place) => string
}

export function readPage(order: ListOrder, query: PageQuery): Promise<Page> {
  return query.before === undefined
    ? readForwards(order, query.limit, query.after)
    : readBackwards(order, query.limit, query.before)
}

async function readForwards(order: ListOrder, limit: number, after: Place | undefined): Promise<Page> {
  const { places, next } = await findPage(order, limit, after, false)
  const prev = after === undefined ? undefined : (places[0] ?? beside(order, after, 1))
  return pageOf(order, places, prev, next)
}

async function readBackwards(order: ListOrder, limit: number, before: Place): Promise<Page> {
  const { places, next: prev } = await findPage(order, limit, before, true)
  // The beginning of the list is always a full page.
  if (places.length < limit && prev === undefined) return readForwards(order, limit, undefined)
  places.reverse()
  return pageOf(order, places, prev, places.at(-1) ?? beside(order, before, -1))
}

/** Looks for one link more than the page has: a page that ends with the list has no next one. */
async function findPage(
  { find }: ListOrder,
  limit: number,
  from: Place | undefined,
  isBackwards: boolean,
): Promise<Part> {
  const { places, next } = await find({ isBackwards, from, limit: limit + 1 })
  const page = places.slice(0, limit)
  return { places: page, next: places.length > limit ? page.at(-1) : next }
}

function pageOf(
  { write }: ListOrder,
  places: Place[],
  prev: Place | undefined,
  next: Place | undefined,
): Page {
  return {
    ids: places.map(({ linkId }) => linkId),
    prev: prev && write(prev),
    next: next && write(next),
  }
}

/** The place just behind or before another, from which the link at that other place is found. */
function beside({ isNewestFirst }: ListOrder, { value, linkId }: Place, steps: 1 | -1): Place {
  return { value, linkId: Math.max(0, isNewestFirst(value) ? linkId - steps : linkId + steps) }
}
