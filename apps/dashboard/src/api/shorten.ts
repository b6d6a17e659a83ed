import type { Problem } from './problem.ts'
import { readProblem, unreachable } from './problem.ts'

export interface NewLink {
  slug: string
  short_url: string
  long_url: string
  expires_at?: string
}

/** `POST /shorten`. */
export async function shorten(wish: {
  long_url: string
  slug?: string
  expires_at?: string
}): Promise<{ link: NewLink } | { problem: Problem }> {
  try {
    const response = await fetch('/shorten', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish),
    })
    if (!response.ok) return { problem: await readProblem(response) }
    return { link: (await response.json()) as NewLink }
  } catch {
    return { problem: unreachable }
  }
}
