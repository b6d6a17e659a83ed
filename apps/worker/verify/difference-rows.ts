import { allLinks } from '@hopcount/shared/all-links.ts'
import type { PoolClient } from 'pg'

export interface Difference {
  what: string
  expected: number
  found: number
}

/** At most this many differences are listed. */
export const maxDifferences = 50

/** A row of a comparing statement's result. */
interface DifferenceRow {
  place: string
  link_id: number
  kind: string
  expected: number
  found: number
}

/** Runs a statement that returns rows of place, link_id, kind, expected and found, and puts them into words. */
export async function findDifferences(
  client: PoolClient,
  statement: string,
  values: unknown[] = [],
): Promise<Difference[]> {
  const { rows } = await client.query<DifferenceRow>(`${statement} LIMIT ${maxDifferences}`, values)
  return rows.map(row => ({
    what: differenceText(row.place, row.link_id, row.kind),
    expected: row.expected,
    found: row.found,
  }))
}

export function differenceText(place: string, linkId: number, kind: string): string {
  return `${place} of ${linkId === allLinks ? 'all links' : `link ${linkId}`}: ${kind}`
}
