/** Small steady questions beside the load: is what depends on PostgreSQL answered, and how? */
import { setTimeout as sleep } from 'node:timers/promises'
import { unknownSlug } from './fault-system.ts'

export type ProbeName = 'P' | 'S' | 'U'

export interface Sample {
  probe: ProbeName
  /** performance.now() at the start. */
  startedAt: number
  tookMs: number
  /** 0: no answer. */
  status: number
  retryAfter: boolean
}

export interface Probes {
  samples: Sample[]
  stop(): Promise<void>
}

const everyMs = 150
const deadlineMs = 20_000

/** P: POST /shorten; S: statistics of a link and the top list in turn; U: a slug that nobody knows. */
export function startProbes(options: { origin: () => string; slug: string }): Probes {
  const { origin, slug } = options
  const samples: Sample[] = []
  const underWay = new Set<Promise<void>>()
  let stopping = false
  let asked = 0

  async function ask(probe: ProbeName): Promise<void> {
    const startedAt = performance.now()
    const sample: Sample = { probe, startedAt, tookMs: 0, status: 0, retryAfter: false }
    try {
      const response = await send(probe)
      sample.status = response.status
      sample.retryAfter = response.headers.has('retry-after')
      await response.arrayBuffer()
    } catch {
      sample.status = 0
    }
    sample.tookMs = performance.now() - startedAt
    samples.push(sample)
  }

  function send(probe: ProbeName): Promise<Response> {
    const signal = AbortSignal.timeout(deadlineMs)
    if (probe === 'S') return fetch(`${origin()}/stats${++asked % 2 ? `/${slug}` : '?limit=5'}`, { signal })
    if (probe === 'U') return fetch(`${origin()}/${unknownSlug()}`, { signal, redirect: 'manual' })
    return fetch(`${origin()}/shorten`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ long_url: 'https://example.com/probe' }),
      signal,
    })
  }

  const loop = (async () => {
    while (!stopping) {
      for (const probe of ['P', 'S', 'U'] as const) {
        const asking = ask(probe).finally(() => underWay.delete(asking))
        underWay.add(asking)
      }
      await sleep(everyMs)
    }
  })()

  return {
    samples,
    async stop() {
      stopping = true
      await loop
      await Promise.all(underWay)
    },
  }
}

/** What a well-behaved answer to the probe is while everything works. */
export function succeeded({ probe, status }: Sample): boolean {
  return probe === 'U' ? status === 404 : status === 200 || status === 201
}
