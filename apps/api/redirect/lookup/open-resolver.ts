/** Opens the caches of links together with what keeps them up to date. */
import type { Log } from '@hopcount/shared/log.ts'
import type { Pool } from 'pg'
import type { ChangeLinks } from '../../links/change-links.ts'
import { createLinkChanger, generationChannel } from '../../links/change-links.ts'
import type { LinkChanges } from '../../links/link-changes.ts'
import { listenForLinkChanges } from '../../links/link-changes.ts'
import type { DatabaseWatch } from '../../watch-database.ts'
import { createDatabaseOutage } from './database-outage.ts'
import { createKnownSlugs } from './known-slugs.ts'
import { openLinkCache } from './link-cache.ts'
import { nameLinkCache } from './name-link-cache.ts'
import type { SlugResolver } from './resolve-slug.ts'
import { createSlugResolver } from './resolve-slug.ts'

export interface OpenResolver {
  resolver: SlugResolver
  changes: LinkChanges
  changeLinks: ChangeLinks
  slugCreated: (slug: string) => void
  close(): Promise<void>
}

export function openResolver(options: {
  pool: Pool
  watch: Pick<DatabaseWatch, 'epoch' | 'onEpoch'>
  /** To PostgreSQL itself, not to a pooler. */
  databaseUrl: string
  /** Undefined: no L2. */
  cacheUrl: string | undefined
  maxLinks: number
  /** How long cached links are followed without asking while PostgreSQL is away. */
  maxOutageMs: number
  log: Log
}): OpenResolver {
  const { pool, watch, databaseUrl, cacheUrl, maxLinks, maxOutageMs, log } = options
  const linkCache = cacheUrl === undefined ? undefined : openLinkCache(cacheUrl, log)
  const cacheName = linkCache && nameLinkCache({ pool, linkCache, epoch: watch.epoch, log })
  const outage = createDatabaseOutage({ pool, maxMs: maxOutageMs })
  const changes = listenForLinkChanges({
    databaseUrl,
    log,
    onChange: slugChanged,
    onGap() {
      known.discard()
      resolver.distrust()
      cacheName?.distrust()
    },
    onListening() {
      outage.end()
      known.read()
      cacheName?.read()
    },
  })
  if (cacheName !== undefined) changes.onNotice(generationChannel, cacheName)
  const known = createKnownSlugs({ pool, log, catchUp: changes.catchUp })
  const resolver = createSlugResolver({ pool, linkCache, known, changes, outage, maxLinks })
  watch.onEpoch(() => {
    resolver.forgetAll()
    known.discard()
    cacheName?.distrust()
    if (!changes.isListening()) return
    known.read()
    cacheName?.read()
  })

  function slugChanged(slug: string): void {
    known.add(slug)
    resolver.forget(slug)
  }

  return {
    resolver,
    changes,
    changeLinks: createLinkChanger({ pool, block: linkCache?.block, onChange: slugChanged }),
    slugCreated: slugChanged,
    async close() {
      await changes.close()
      linkCache?.close()
    },
  }
}
