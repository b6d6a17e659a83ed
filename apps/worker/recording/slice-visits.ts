/** The order in which a transaction handles its visits, and the slices into which it cuts them. */
import type { VisitColumns } from './visit-columns.ts'

/**
 * Visits per slice. Whatever is derived from visits is derived from one slice at a time: a worker then peaks at 224 MB
 * instead of 270, at the same rate (from a full queue, medians of four and six alternating rounds). Slices of 16,000: 228.
 */
const visitsPerSlice = 8_192

/** The places of the visits in these ranges, sorted by link and time. */
export function sortedPlaces(
  { linkIds, visitedAt }: VisitColumns,
  ranges: { begin: number; end: number }[],
): Uint32Array {
  const places = new Uint32Array(ranges.reduce((sum, { begin, end }) => sum + end - begin, 0))
  let length = 0
  for (const { begin, end } of ranges) for (let place = begin; place < end; place++) places[length++] = place
  const difference = (column: Float64Array, a: number, b: number) => (column[a] ?? 0) - (column[b] ?? 0)
  return places.sort((a, b) => difference(linkIds, a, b) || difference(visitedAt, a, b))
}

/** Cuts sorted places into slices. All visits of a link are in the same slice, which may make it longer. */
export function sliceByLink({ linkIds }: VisitColumns, places: Uint32Array): Uint32Array[] {
  const slices: Uint32Array[] = []
  for (let begin = 0; begin < places.length; ) {
    let end = Math.min(begin + visitsPerSlice, places.length)
    while (end < places.length && linkIds[places[end] ?? 0] === linkIds[places[end - 1] ?? 0]) end++
    slices.push(places.subarray(begin, end))
    begin = end
  }
  return slices
}
