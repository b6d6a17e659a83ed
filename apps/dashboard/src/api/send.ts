import { tell } from './events.ts'
import { load } from './load.ts'
import type { Problem } from './problem.ts'

export type Outcome<T> = { data: T; etag: string | undefined } | { problem: Problem }

const waitMs = 15_000

/** One request. After a change that succeeded, everything on the page that polls polls at once. */
export async function send<T = undefined>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  options: { body?: unknown; ifMatch?: string | undefined } = {},
): Promise<Outcome<T>> {
  const { body, ifMatch } = options
  const loaded = await load(
    path,
    {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    },
    waitMs,
  )
  if ('problem' in loaded) {
    if (loaded.problem.status === 401) tell('unauthorized')
    return loaded
  }
  if (method !== 'GET') tell('changed')
  return {
    data: loaded.data as T,
    etag: loaded.response.headers.get('etag') ?? undefined,
  }
}
