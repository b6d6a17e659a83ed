/**
 * The file of blocked domains, BLOCKED_DOMAINS_FILE. It is read again when it has changed, which needs no signal and no
 * restart; a file that can't be read any more changes nothing. Replace it by renaming another one: of a file that is
 * still being written only the part that is there is read, until the next look at it.
 */
import { unwatchFile, watchFile } from 'node:fs'
import { ConfigurationProblems } from '@hopcount/shared/configuration/configuration.ts'
import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog, errorText } from '@hopcount/shared/log.ts'
import type { DomainSet } from './domain-set.ts'
import { readDomainFile } from './read-domain-file.ts'

export interface BlockedFile {
  domains(): Pick<DomainSet, 'has' | 'size'>
  close(): void
}

/** Rejects with ConfigurationProblems. `lookEveryMs`: how often the file's time and size are looked at. */
export async function openBlockedFile(path: string, log: Log, lookEveryMs = 2_000): Promise<BlockedFile> {
  const health = createHealthLog(log, 'reading BLOCKED_DOMAINS_FILE')
  let lastReading = Promise.resolve()
  // Before the first reading: a change during it must not be missed.
  watchFile(path, { interval: lookEveryMs, persistent: false }, onChange)
  let domains = await read().catch((error: unknown) => {
    unwatchFile(path, onChange)
    throw new ConfigurationProblems([`BLOCKED_DOMAINS_FILE can't be read: ${errorText(error)}`])
  })

  async function read(): Promise<DomainSet> {
    const { domains, unreadableLines, firstUnreadable } = await readDomainFile(path)
    log.info({ domains: domains.size }, 'blocked domains are read from the file')
    if (unreadableLines > 0)
      log.warn({ unreadableLines, firstUnreadable }, 'BLOCKED_DOMAINS_FILE has lines that name no domain')
    return domains
  }

  async function readAgain(): Promise<void> {
    try {
      domains = await read()
      health.works()
    } catch (error) {
      health.fails(error)
    }
  }

  function onChange(): void {
    lastReading = lastReading.then(readAgain)
  }

  return {
    domains: () => domains,
    close: () => unwatchFile(path, onChange),
  }
}
