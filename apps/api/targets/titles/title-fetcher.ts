/**
 * With FETCH_TITLES, gives links that were created without a title the one of their target. That happens behind the
 * response to the creation, as well as it can: a title that can't be had within the deadline is not there, and what waits
 * when the process ends is forgotten. A title that somebody sets meanwhile stays.
 */
import type { Log } from '@hopcount/shared/log.ts'
import { createMinuteLog, errorText } from '@hopcount/shared/log.ts'
import type { OwnHosts } from '../../hosts/own-hosts.ts'
import type { DomainRules } from '../domain-rules.ts'
import type { ResolveHost } from './fetch-page.ts'
import { fetchPage } from './fetch-page.ts'
import { readTitle } from './read-title.ts'

export interface Untitled {
  slug: string
  longUrl: string
}

export interface TitleFetcher {
  /** A link was created without a title. */
  add(link: Untitled): void
  close(): void
}

const concurrentFetches = 2
const maxWaiting = 2_000
const fetchDeadlineMs = 5_000

export function createTitleFetcher(options: {
  ownHosts: OwnHosts
  allowPrivateTargets: boolean
  domainRules: DomainRules
  /** Sets the title of the link, unless it has one or leads elsewhere by now. */
  setTitle: (link: Untitled, title: string) => Promise<void>
  log: Log
  resolve?: ResolveHost
}): TitleFetcher {
  const { ownHosts, allowPrivateTargets, domainRules, setTitle, log, resolve } = options
  const logDropped = createMinuteLog(log, 'titles are not fetched: too many links are waiting for theirs')
  const waiting: Untitled[] = []
  const closing = new AbortController()
  let underWay = 0

  function next(): void {
    if (underWay === concurrentFetches || closing.signal.aborted) return
    const link = waiting.shift()
    if (link === undefined) return
    underWay++
    giveTitle(link)
      // Most failures are those of the target: nothing that an operator could do something about.
      .catch(error => log.debug({ slug: link.slug, reason: errorText(error) }, 'no title was fetched'))
      .finally(() => {
        underWay--
        next()
      })
  }

  async function giveTitle(link: Untitled): Promise<void> {
    const page = await fetchPage(link.longUrl, {
      targets: {
        isOwnHost: host => ownHosts.has(host),
        allowPrivateTargets,
        domains: await domainRules.current(),
      },
      ...(resolve && { resolve }),
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(fetchDeadlineMs)]),
    })
    const title = page && readTitle(page)
    if (title !== undefined) await setTitle(link, title)
  }

  return {
    add(link) {
      if (waiting.length === maxWaiting) return logDropped(1, {})
      waiting.push(link)
      next()
    },
    close: () => closing.abort(),
  }
}
