import type { Problem } from './problem.ts'
import { foreign, readProblem, tooLate, unreachable } from './problem.ts'

/** A response of the API. `body` is undefined if there was none; `data` is what it says. */
export interface Loaded {
  response: Response
  body: string | undefined
  data: unknown
}

const bodyWaitMs = 30_000

/**
 * One request that never hangs: it has `waitMs` until a response begins, and then time for slow networks to transfer it.
 * Whatever is not a response by the API itself, such as a proxy's page, is a problem.
 */
export async function load(
  url: string,
  init: RequestInit,
  waitMs: number,
): Promise<Loaded | { problem: Problem; retryAfterMs?: number }> {
  const deadline = new AbortController()
  let timer = setTimeout(() => deadline.abort(), waitMs)
  try {
    const response = await fetch(url, {
      cache: 'no-store',
      ...init,
      signal: init.signal ? AbortSignal.any([init.signal, deadline.signal]) : deadline.signal,
    })
    clearTimeout(timer)
    timer = setTimeout(() => deadline.abort(), bodyWaitMs)
    if (response.status === 304 || response.status === 204)
      return { response, body: undefined, data: undefined }
    if (!response.ok) {
      const problem = await readProblem(response)
      return { problem, retryAfterMs: 1_000 * Number(response.headers.get('retry-after') ?? 0) }
    }
    if (!/json/.test(response.headers.get('content-type') ?? '')) return { problem: foreign(response) }
    const body = await response.text()
    return { response, body, data: JSON.parse(body) }
  } catch {
    return { problem: deadline.signal.aborted ? tooLate : unreachable }
  } finally {
    clearTimeout(timer)
  }
}
