/** The figures that every report shows together: visits, and who made them. */
import type { Static } from 'typebox'
import { Type } from 'typebox'

/** The properties of `Counts`, for schemas that have more of them. */
export const countsProperties = {
  visits: Type.Integer({ description: 'redirects served, each counted once: humans + bots + previews' }),
  humans: Type.Integer({ description: 'visits by humans' }),
  bots: Type.Integer({
    description: 'visits by programs that identify themselves, or that send no user agent',
  }),
  previews: Type.Integer({ description: 'visits by services that show their users a preview of the link' }),
}

const CountsSchema = Type.Object(countsProperties)

export type Counts = Static<typeof CountsSchema>

/** The columns of the aggregate tables; humans are the rest. */
export type StoredCounts = Omit<Counts, 'humans'>

export function countsOf({ visits, bots, previews }: StoredCounts): Counts {
  return { visits, humans: visits - bots - previews, bots, previews }
}

export function sumCounts(all: Iterable<Counts>): Counts {
  const sum = { visits: 0, humans: 0, bots: 0, previews: 0 }
  for (const { visits, humans, bots, previews } of all) {
    sum.visits += visits
    sum.humans += humans
    sum.bots += bots
    sum.previews += previews
  }
  return sum
}
