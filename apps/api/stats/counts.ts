/** The figures that stand together everywhere: visits, and whose they were. */
import { Type } from 'typebox'

export interface Counts {
  visits: number
  humans: number
  bots: number
  previews: number
}

/** As the aggregate tables hold them: people are the rest. */
export interface StoredCounts {
  visits: number
  bots: number
  previews: number
}

/** The properties of `Counts`, for the schemas of answers. */
export const countsProperties = {
  visits: Type.Integer({ description: 'redirects answered, each once: humans + bots + previews' }),
  humans: Type.Integer({ description: 'visits of people' }),
  bots: Type.Integer({ description: 'visits of programs that say so, or that say nothing' }),
  previews: Type.Integer({ description: 'visits of services that preview a link for its readers' }),
}

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
