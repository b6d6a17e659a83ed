import { useEffect, useState } from 'preact/hooks'
import type { Problem } from './problem.ts'
import { readProblem, unreachable } from './problem.ts'

/** The latest answer of a statistics address, and how fresh it is. */
export interface Polled<T> {
  data: T | undefined
  /** Of the address that is asked now; false while `data` is still that of the one before. */
  isCurrent: boolean
  /** Why the last question was not answered; `data` is then what was known before. */
  problem: Problem | undefined
  /** Visits that the answering process has redirected and that no statistics hold yet. */
  pending: number
  /** How far the statistics are behind the server's clock, in milliseconds. */
  lagMs: number
  /** Position of the next page. */
  next: string | undefined
}

const everyMs = 2_000
const longestPauseMs = 30_000

/**
 * Asks for `url` every 2 s, and not at all while nobody looks. An unchanged answer is a 304 without a body. After a
 * failure the pause doubles up to 30 s; the answer before it stays.
 */
export function usePolled<T>(url: string): Polled<T> {
  const [state, setState] = useState<Polled<T> & { url: string }>({
    url,
    data: undefined,
    isCurrent: false,
    problem: undefined,
    pending: 0,
    lagMs: 0,
    next: undefined,
  })

  useEffect(() => {
    const stop = new AbortController()
    let etag: string | undefined
    let pauseMs = everyMs
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking = false

    async function ask(): Promise<void> {
      if (asking || document.hidden) return
      clearTimeout(timer)
      asking = true
      try {
        const response = await fetch(url, {
          signal: stop.signal,
          cache: 'no-store',
          headers: etag === undefined ? {} : { 'if-none-match': etag },
        })
        const isNews = response.status !== 304
        if (isNews && !response.ok) fail(await readProblem(response))
        else {
          const data = isNews ? ((await response.json()) as T) : undefined
          etag = response.headers.get('etag') ?? undefined
          pauseMs = everyMs
          setState(before => ({
            url,
            data: data ?? before.data,
            isCurrent: true,
            problem: undefined,
            ...readFreshness(response),
            next: readNext(response),
          }))
        }
      } catch {
        if (!stop.signal.aborted) fail(unreachable)
      }
      asking = false
      if (!stop.signal.aborted) timer = setTimeout(ask, pauseMs)
    }

    function fail(problem: Problem): void {
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      setState(before => ({ ...before, url, isCurrent: before.url === url && before.isCurrent, problem }))
    }

    void ask()
    document.addEventListener('visibilitychange', ask)
    return () => {
      stop.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', ask)
    }
  }, [url])

  return { ...state, isCurrent: state.isCurrent && state.url === url }
}

/** The two clocks that are compared are both the server's: the reader's may be wrong. */
function readFreshness(response: Response): { pending: number; lagMs: number } {
  const asOf = Date.parse(response.headers.get('x-stats-as-of') ?? '')
  const now = Date.parse(response.headers.get('date') ?? '')
  const lagMs = now - asOf
  return {
    pending: Number(response.headers.get('x-stats-pending') ?? 0),
    lagMs: Number.isNaN(lagMs) ? 0 : Math.max(0, lagMs),
  }
}

function readNext(response: Response): string | undefined {
  const target = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  return target === undefined
    ? undefined
    : (new URL(target, location.origin).searchParams.get('after') ?? undefined)
}
