import { useEffect, useRef, useState } from 'preact/hooks'
import { doubt, prove, setFailing } from './connection.ts'
import { listen, pageEvents, tell } from './events.ts'
import type { Loaded } from './load.ts'
import { load } from './load.ts'
import type { Problem } from './problem.ts'
import { isRefusal } from './problem.ts'

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

export interface PollOptions {
  /** The longest pause. */
  everyMs?: number
  /** A change of this is a reason to poll, but not more often than `newsEveryMs`. */
  news?: unknown
  newsEveryMs?: number
  /**
   * What the view is about. It finds out that the server is away or back, and what the page shows besides follows: it is
   * requested when there is news, and rarely otherwise. Without a stream, its pause grows while nothing changes.
   */
  lead?: boolean
  /** Without a request, the response is forgotten. */
  forgets?: boolean
  /** How long the server may take to respond. */
  waitMs?: number
}

/** Without a stream. Shorter than what a response proves (connection.ts). */
const leadPauseMs = 9_000
/** While the stream reports changes, polling is for the rest. */
export const streamedLeadPauseMs = 20_000
const followPauseMs = 120_000
const firstPauseMs = 2_000
const pauseWithNewsMs = 1_000
const longestLeadRetryMs = 4_000
const longestRetryMs = 30_000
const usualWaitMs = 5_000

/**
 * Polls when `news` changes (at most once a second, and once more 2 s later, since a response may be slightly older than
 * the news), when the page has changed something, and at least every `everyMs`, but not while the tab is hidden or there
 * is no request. An unchanged response is a 304 without a body.
 *
 * After a failure the previous response stays, and the request is repeated: by the lead at least every 4 s, by others when
 * the lead has recovered. A refused request is not repeated: nothing but another request can succeed.
 */
export function usePolled<T, About = undefined>(
  request: PolledRequest<About> | undefined,
  options: PollOptions = {},
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
  const current = useRef(options)
  current.current = options
  const pollSoon = useRef<() => void>(undefined)

  useEffect(() => {
    if (request === undefined) {
      if (current.current.forgets) setState(before => ({ ...before, response: undefined }))
      return
    }
    const { url, about } = request
    const stop = new AbortController()
    const self = {}
    let etag: string | undefined
    let lastBody: string | undefined
    let failures = 0
    /** Responses without a change since there was news. */
    let quiet = current.current.lead ? 0 : Number.POSITIVE_INFINITY
    let timer: ReturnType<typeof setTimeout> | undefined
    let attempt: AbortController | undefined
    let isOutdated = false
    let isRefused = false
    let polledAt = Number.NEGATIVE_INFINITY

    async function poll(): Promise<void> {
      if (attempt !== undefined || document.hidden || stop.signal.aborted) return
      clearTimeout(timer)
      attempt = new AbortController()
      isOutdated = false
      polledAt = performance.now()
      const loaded = await load(
        url,
        { signal: attempt.signal, headers: etag === undefined ? {} : { 'if-none-match': etag } },
        current.current.waitMs ?? usualWaitMs,
      )
      attempt = undefined
      if (stop.signal.aborted) return
      if (isOutdated) return poll()
      if ('problem' in loaded) fail(loaded.problem, loaded.retryAfterMs ?? 0)
      else succeed(loaded)
    }

    function succeed({ response, body, data }: Loaded): void {
      const isChanged = body !== undefined && body !== lastBody
      if (isChanged) {
        if (lastBody !== undefined) quiet = 0
        lastBody = body
      } else quiet += current.current.lead ? 1 : Number.POSITIVE_INFINITY
      etag = response.headers.get('etag') ?? undefined
      const freshness = readFreshness(response)
      const { lead } = current.current
      if (lead || freshness !== undefined) prove(freshness)
      setState(before => ({
        url,
        response: isChanged ? { data: data as T, about } : before.response,
        isCurrent: true,
        problem: undefined,
        pending: freshness?.pending ?? 0,
        lagMs: freshness === undefined ? 0 : Math.max(0, freshness.at - freshness.asOf),
        next: readPage(response, 'next'),
        prev: readPage(response, 'prev'),
        total: readTotal(response),
      }))
      setFailing(self, undefined)
      if (failures > 0) tell('recovered')
      failures = 0
      const isWaiting = freshness !== undefined && freshness.pending > 0
      const longest = current.current.everyMs ?? (lead ? leadPauseMs : followPauseMs)
      schedule(Math.min(firstPauseMs * 2 ** quiet, isWaiting ? Math.min(longest, leadPauseMs) : longest))
    }

    function fail(problem: Problem, retryAfterMs: number): void {
      failures++
      const { lead = false } = current.current
      // What is shown stays while its user signs in again.
      const isSignedOut = problem.status === 401
      if (isSignedOut) tell('unauthorized')
      else
        setState(before => ({ ...before, url, isCurrent: before.url === url && before.isCurrent, problem }))
      isRefused = isRefusal(problem) && !isSignedOut
      setFailing(self, isRefused || isSignedOut ? undefined : { problem, isLead: lead })
      if (isRefused) return
      if (failures === 1 && !lead) doubt()
      const longest = lead ? longestLeadRetryMs : longestRetryMs
      const pauseMs = Math.min(500 * 2 ** failures, longest) * (0.75 + Math.random() / 4)
      schedule(problem.status === 429 ? Math.max(pauseMs, retryAfterMs) : pauseMs)
    }

    function schedule(pauseMs: number): void {
      clearTimeout(timer)
      timer = setTimeout(poll, pauseMs)
    }

    pollSoon.current = () => {
      quiet = 0
      if (attempt === undefined && failures === 0)
        schedule(Math.max(0, polledAt + (current.current.newsEveryMs ?? pauseWithNewsMs) - performance.now()))
    }
    /** A response that is under way may have been made before the change. */
    function pollNow(): void {
      isRefused = false
      isOutdated = attempt !== undefined
      void poll()
    }
    function pollIfLead(): void {
      if (current.current.lead && failures === 0 && performance.now() - polledAt > pauseWithNewsMs)
        void poll()
    }
    /** What is under way may have been lost in the outage. */
    function pollIfFailing(): void {
      const isHanging = attempt !== undefined && performance.now() - polledAt > pauseWithNewsMs
      if (isRefused || !(failures > 0 || isHanging)) return
      isOutdated = attempt !== undefined
      attempt?.abort()
      void poll()
    }

    void poll()
    const stops = [
      listen(document, ['visibilitychange'], () => isRefused || void poll()),
      listen(pageEvents, ['changed'], pollNow),
      listen(pageEvents, ['doubted'], pollIfLead),
      listen(pageEvents, ['recovered'], pollIfFailing),
    ]
    return () => {
      stop.abort()
      attempt?.abort()
      clearTimeout(timer)
      setFailing(self, undefined)
      pollSoon.current = undefined
      for (const each of stops) each()
    }
  }, [url])

  const lastNews = useRef<unknown>(undefined)
  useEffect(() => {
    // The first value is as old as the response.
    if (lastNews.current !== undefined) pollSoon.current?.()
    lastNews.current = options.news
  }, [options.news])

  // A problem belongs to its own request, too.
  return state.url === url ? state : { ...state, isCurrent: false, problem: undefined }
}

/** Two times of the server are compared, since the user's clock may be wrong. */
function readFreshness({ headers }: Response) {
  const asOf = Date.parse(headers.get('x-stats-as-of') ?? '')
  if (Number.isNaN(asOf)) return undefined
  const at = Date.parse(headers.get('date') ?? '')
  return { asOf, at: Number.isNaN(at) ? asOf : at, pending: Number(headers.get('x-stats-pending') ?? 0) }
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
