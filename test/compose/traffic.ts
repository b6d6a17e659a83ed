/** Like users behind a load balancer: requests go to the first address that responds. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Tally {
  /** Redirects that were answered with a 307 to where they should lead. */
  answered: number
  /** Requests that reached a listening port, answered or not: more can't have been counted. */
  attempted: number
  /** Redirects that no address answered, or not with a 307, and why. */
  failures: string[]
}

export interface Link {
  slug: string
  longUrl: string
}

/** The answer of the first address that gives one. Throws where none does. */
export async function ask(addresses: string[], path: string, init?: RequestInit): Promise<Response> {
  let failure: unknown
  for (const address of addresses) {
    try {
      return await fetch(`${address}${path}`, {
        ...init,
        redirect: 'manual',
        signal: AbortSignal.timeout(10_000),
      })
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

export async function shorten(addresses: string[], longUrl: string): Promise<Link> {
  const answer = await ask(addresses, '/shorten', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ long_url: longUrl }),
  })
  const link = (await answer.json()) as { slug: string }
  if (answer.status !== 201)
    throw new Error(`POST /shorten was answered ${answer.status}: ${JSON.stringify(link)}`)
  return { slug: link.slug, longUrl }
}

/** Follows the link, `concurrency` at a time, for as long as `more` says. */
export async function follow(
  addresses: string[],
  link: Link,
  more: () => boolean,
  concurrency = 16,
): Promise<Tally> {
  const tally: Tally = { answered: 0, attempted: 0, failures: [] }
  async function oneVisitor(): Promise<void> {
    while (more()) {
      const failure = await followOnce(addresses, link, () => tally.attempted++)
      if (failure === undefined) tally.answered++
      else {
        tally.failures.push(failure)
        await sleep(20)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, oneVisitor))
  return tally
}

/** Follows the link `count` times. Throws unless every single one was answered. */
export async function followTimes(addresses: string[], link: Link, count: number): Promise<void> {
  let left = count
  const { answered, attempted, failures } = await follow(addresses, link, () => left-- > 0)
  if (answered !== count) throw new Error(`${answered} of ${count} answered; ${failures[0]}`)
  if (attempted !== answered) throw new Error(`${attempted} attempts for ${answered} answers`)
}

/** Undefined where it was answered as it should be, else why not. */
async function followOnce(
  addresses: string[],
  link: Link,
  onAttempt: () => void,
): Promise<string | undefined> {
  let failure = 'no address'
  for (const address of addresses) {
    try {
      const answer = await ask([address], `/${link.slug}`)
      onAttempt()
      await answer.arrayBuffer()
      if (answer.status === 307 && answer.headers.get('location') === link.longUrl) return undefined
      failure = `answered ${answer.status}`
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      failure = String(cause)
      // Where nobody listened, nobody counted.
      if (!failure.includes('ECONNREFUSED')) onAttempt()
    }
  }
  return failure
}
