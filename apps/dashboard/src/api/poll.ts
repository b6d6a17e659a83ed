import { useEffect, useRef, useState } from 'preact/hooks'
import { pageEvents, tell } from './events.ts'
import type { Problem } from './problem.ts'
import { readProblem, unreachable } from './problem.ts'

/** A URL of the API, and what the page needs to know about the request. */
export interface PolledRequest<About> {
  url: string
  about: About
}

/** The latest response to a request, and how fresh it is. */
export interface Polled<T, About = undefined> {
  /** Comes with what it is about: until a new request has a response, the previous response stays, correctly labelled. */
  response: { data: T; about: About } | undefined
  /** False while the response belongs to a previous request. */
  isCurrent: boolean
  /** Why the last request failed; the response is then an older one. */
  problem: Problem | undefined
  /** Visits that the responding process has redirected but that are not in the statistics yet. */
  pending: number
  /** The age of the statistics by the server's clock, in milliseconds. */
  lagMs: number
  /** The query string of a list's next page. */
  next: URLSearchParams | undefined
  /** And of the page before. */
  prev: URLSearchParams | undefined
  /** How many entries all pages of a list have, or at least have. */
  total: { count: number; isExact: boolean } | undefined
}

export const usualPauseMs = 2_000
const pauseWithNewsMs = 1_000
const longestPauseMs = 30_000

/**
 * Polls every 2 s or `everyMs`, when `news` changes (at most once a second), and at once when the page has changed something,
 * but not while the tab is hidden or there is no request. An unchanged response is a 304 without a body. After a failure the pause doubles, up to 30 s, and the
 * previous response stays.
 */
export function usePolled<T, About = undefined>(
  request: PolledRequest<About> | undefined,
  options: { everyMs?: number; news?: unknown } = {},
): Polled<T, About> {
  const url = request?.url
  const [state, setState] = useState<Polled<T, About> & { url: string | undefined }>({
    url,
    response: undefined,
    isCurrent: false,
    problem: undefined,
    pending: 0,
    lagMs: 0,
    next: undefined,
    prev: undefined,
    total: undefined,
  })
  const everyMs = useRef(usualPauseMs)
  everyMs.current = options.everyMs ?? usualPauseMs
  const pollSoon = useRef<() => void>(undefined)

  useEffect(() => {
    if (request === undefined) return
    const { url, about } = request
    const stop = new AbortController()
    let etag: string | undefined
    let failures = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    let isPolling = false
    let isOutdated = false
    let polledAt = Number.NEGATIVE_INFINITY

    async function poll(): Promise<void> {
      if (isPolling || document.hidden) return
      clearTimeout(timer)
      isPolling = true
      polledAt = performance.now()
      try {
        const response = await fetch(url, {
          signal: stop.signal,
          cache: 'no-store',
          headers: etag === undefined ? {} : { 'if-none-match': etag },
        })
        const isNews = response.status !== 304
        if (response.status === 401) {
          // What is shown stays while its user signs in again.
          failures++
          tell('unauthorized')
        } else if (isNews && !response.ok) fail(await readProblem(response))
        else {
          const data = isNews ? ((await response.json()) as T) : undefined
          etag = response.headers.get('etag') ?? undefined
          failures = 0
          setState(before => ({
            url,
            response: data === undefined ? before.response : { data, about },
            isCurrent: true,
            problem: undefined,
            ...readFreshness(response),
            next: readPage(response, 'next'),
            prev: readPage(response, 'prev'),
            total: readTotal(response),
          }))
        }
      } catch {
        if (!stop.signal.aborted) fail(unreachable)
      }
      isPolling = false
      if (isOutdated) return pollNow()
      schedule(Math.max(everyMs.current, Math.min(failures && usualPauseMs * 2 ** failures, longestPauseMs)))
    }

    function fail(problem: Problem): void {
      failures++
      setState(before => ({ ...before, url, isCurrent: before.url === url && before.isCurrent, problem }))
    }

    function schedule(pauseMs: number): void {
      if (stop.signal.aborted) return
      clearTimeout(timer)
      timer = setTimeout(poll, pauseMs)
    }

    pollSoon.current = () => {
      if (!isPolling && failures === 0) schedule(Math.max(0, polledAt + pauseWithNewsMs - performance.now()))
    }
    /** A response that is under way may have been made before the change. */
    function pollNow(): void {
      isOutdated = isPolling
      if (!isPolling) void poll()
    }

    void poll()
    document.addEventListener('visibilitychange', poll)
    pageEvents.addEventListener('changed', pollNow)
    return () => {
      stop.abort()
      clearTimeout(timer)
      pollSoon.current = undefined
      document.removeEventListener('visibilitychange', poll)
      pageEvents.removeEventListener('changed', pollNow)
    }
  }, [url])

  useEffect(() => pollSoon.current?.(), [options.news])

  // A problem belongs to its own request, too.
  return state.url === url ? state : { ...state, isCurrent: false, problem: undefined }
}

/** Compares two times of the server, since the user's clock may be wrong. */
function readFreshness(response: Response): { pending: number; lagMs: number } {
  const asOf = Date.parse(response.headers.get('x-stats-as-of') ?? '')
  const now = Date.parse(response.headers.get('date') ?? '')
  const lagMs = now - asOf
  return {
    pending: Number(response.headers.get('x-stats-pending') ?? 0),
    lagMs: Number.isNaN(lagMs) ? 0 : Math.max(0, lagMs),
  }
}

function readPage({ headers }: Response, relation: 'next' | 'prev'): URLSearchParams | undefined {
  const target = new RegExp(`<([^>]*)>; rel="${relation}"`).exec(headers.get('link') ?? '')?.[1]
  return target === undefined ? undefined : new URL(target, location.origin).searchParams
}

function readTotal({ headers }: Response): { count: number; isExact: boolean } | undefined {
  const count = headers.get('x-total-count')
  return count === null
    ? undefined
    : { count: Number(count), isExact: headers.get('x-total-relation') !== 'gte' }
}
