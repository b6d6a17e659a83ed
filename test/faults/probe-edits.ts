/**
 * A link whose target is changed again and again during a round, by one process, and looked up in several. A redirect to a
 * former target is stale if its request began more than a second after a later target was confirmed.
 *
 * It is looked up with HEAD, which is not counted.
 */
import { setTimeout as sleep } from 'node:timers/promises'

export interface EditProbe {
  /**
   * What was stale, as sentences. `excused`: the times between which a process could neither hear of changes nor ask, and
   * goes on with the links that it has (promise 7).
   */
  failures(excused?: { from: number; until: number }): string[]
  stop(): Promise<void>
}

interface Seen {
  origin: string
  target: string
  /** performance.now() */
  startedAt: number
}

const editEveryMs = 250
const lookEveryMs = 20
const deadlineMs = 5_000
const holdsWithinMs = 1_000

/** @param editor which process makes the changes */
export async function probeEdits(options: {
  editor: () => string
  origins: () => string[]
}): Promise<EditProbe> {
  const { editor, origins } = options
  const slug = await create(editor())
  /** In their order; performance.now(). Without those of which nobody knows whether they were made. */
  const confirmed: { target: string; at: number }[] = []
  const uncertain = new Set<string>()
  const seen: Seen[] = []
  let stopping = false
  let edits = 0

  async function edit(): Promise<void> {
    const target = `https://example.com/edit-${++edits}`
    try {
      const response = await fetch(`${editor()}/api/links/${slug}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ long_url: target }),
        signal: AbortSignal.timeout(deadlineMs),
      })
      await response.arrayBuffer()
      if (response.status !== 200) throw new Error(`PATCH answered ${response.status}`)
      confirmed.push({ target, at: performance.now() })
    } catch {
      uncertain.add(target)
    }
  }

  async function look(origin: string): Promise<void> {
    const startedAt = performance.now()
    try {
      const response = await fetch(`${origin}/${slug}`, {
        method: 'HEAD',
        redirect: 'manual',
        signal: AbortSignal.timeout(deadlineMs),
      })
      const target = response.headers.get('location')
      if (target !== null) seen.push({ origin, target, startedAt })
    } catch {
      // Whether redirects go on is for others to say.
    }
  }

  async function repeat(everyMs: number, step: () => Promise<unknown>): Promise<void> {
    while (!stopping) {
      await step()
      await sleep(everyMs)
    }
  }

  const loops = Promise.all([
    repeat(editEveryMs, edit),
    repeat(lookEveryMs, () => Promise.all(origins().map(look))),
  ])

  function failures(excused = { from: 0, until: 0 }): string[] {
    const number = new Map(confirmed.map(({ target }, index) => [target, index]))
    const stale = seen.flatMap(({ origin, target, startedAt }) => {
      if (uncertain.has(target)) return []
      const later = confirmed[(number.get(target) ?? -1) + 1]
      if (later === undefined || startedAt <= later.at + holdsWithinMs) return []
      if (later.at > excused.from && startedAt < excused.until) return []
      const late = Math.round(startedAt - later.at)
      return [`${origin} redirected to a former target ${late} ms after its change was confirmed`]
    })
    const unproven = confirmed.length < 3 || seen.length < 3
    return [
      ...(unproven
        ? [`only ${confirmed.length} edits were confirmed, and ${seen.length} lookups served`]
        : []),
      ...(stale.length === 0 ? [] : [`${stale.length} stale redirects: ${stale.slice(0, 3).join('; ')}`]),
    ]
  }

  return {
    failures,
    async stop() {
      stopping = true
      await loops
    },
  }
}

async function create(origin: string): Promise<string> {
  const response = await fetch(`${origin}/shorten`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ long_url: 'https://example.com/edit-0' }),
  })
  const { slug } = (await response.json()) as { slug: string }
  if (response.status !== 201) throw new Error(`POST /shorten answered ${response.status}`)
  return slug
}
