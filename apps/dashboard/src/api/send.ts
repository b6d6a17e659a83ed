import { tell } from './events.ts'
import type { Problem } from './problem.ts'
import { readProblem, unreachable } from './problem.ts'

export type Outcome<T> = { data: T; etag: string | undefined } | { problem: Problem }

/** One request. After a change that succeeded, everything on the page that polls polls at once. */
export async function send<T = undefined>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  options: { body?: unknown; ifMatch?: string | undefined } = {},
): Promise<Outcome<T>> {
  try {
    const response = await fetch(path, {
      method,
      cache: 'no-store',
      headers: {
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...(options.ifMatch !== undefined && { 'if-match': options.ifMatch }),
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    })
    if (response.status === 401) tell('unauthorized')
    if (!response.ok) return { problem: await readProblem(response) }
    const data = response.status === 204 ? undefined : await response.json()
    if (method !== 'GET') tell('changed')
    return { data: data as T, etag: response.headers.get('etag') ?? undefined }
  } catch {
    return { problem: unreachable }
  }
}
