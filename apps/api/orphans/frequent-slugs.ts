/**
 * Counts slugs in bounded memory and still finds the frequent ones, however many others there are: the algorithm of
 * Misra and Gries ("Finding repeated elements", Science of Computer Programming 2, 1982).
 *
 * At most `maxSlugs` slugs are kept. When there is one too many, one request of each slug, including the new one, is
 * moved to the others. So a slug with more than 1/(maxSlugs + 1) of all requests is always kept; its count is never too
 * high, and too low by at most others/(maxSlugs + 1); and the counts and the others add up to all requests. With at most
 * `maxSlugs` slugs, all counts are exact.
 *
 * `count` is one step in a Map. A pass over the Map removes as many requests as it has steps, and each of them was added
 * before, so even a flood of made-up slugs costs only one additional step per request.
 */
export interface FrequentSlugs {
  count(slug: string): void
  /** Returns what was counted since the last call. */
  take(): SlugCounts
}

export interface SlugCounts {
  requests: Map<string, number>
  /** Requests that are not in `requests`. */
  others: number
}

export function createFrequentSlugs(maxSlugs: number): FrequentSlugs {
  let requests = new Map<string, number>()
  let others = 0

  function count(slug: string): void {
    const known = requests.get(slug)
    if (known !== undefined) requests.set(slug, known + 1)
    else if (requests.size < maxSlugs) requests.set(slug, 1)
    else makeRoom()
  }

  function makeRoom(): void {
    others += requests.size + 1
    const kept = new Map<string, number>()
    for (const [slug, known] of requests) if (known > 1) kept.set(slug, known - 1)
    requests = kept
  }

  function take(): SlugCounts {
    const taken = { requests, others }
    requests = new Map()
    others = 0
    return taken
  }

  return { count, take }
}
