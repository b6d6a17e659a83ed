import type { ShortenedLink as NewLink, NewLinkBody } from '../../../api/resource/link-schema.ts'
import type { Problem } from './problem.ts'
import { readProblem, unreachable } from './problem.ts'

export type { NewLink }

/** `POST /shorten`. */
export async function shorten(body: NewLinkBody): Promise<{ link: NewLink } | { problem: Problem }> {
  try {
    const response = await fetch('/shorten', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) return { problem: await readProblem(response) }
    return { link: (await response.json()) as NewLink }
  } catch {
    return { problem: unreachable }
  }
}
