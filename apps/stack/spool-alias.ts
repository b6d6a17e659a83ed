/**
 * Unix sockets lie in the spool, and their paths must stay below 108 bytes (unix(7)). Where the project lies so deep
 * that `.data/spool` is too long for that, the spool is addressed through a symbolic link with a short name.
 */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a spool's path may have at most, with room for `/<producer id>/alive` (44 bytes) below it, on any system. */
const longestSpoolPathBytes = 59

export function shortSpoolPath(spool: string): string {
  if (Buffer.byteLength(spool) <= longestSpoolPathBytes) return spool
  mkdirSync(spool, { recursive: true })
  const alias = join(tmpdir(), `hopcount-${createHash('sha256').update(spool).digest('hex').slice(0, 16)}`)
  try {
    symlinkSync(spool, alias)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    // Everybody may write to the folder of the link: one that somebody else made is not followed.
    const link = lstatSync(alias)
    if (!link.isSymbolicLink() || link.uid !== process.geteuid?.() || readlinkSync(alias) !== spool) {
      throw new Error(`${alias} is not the link to ${spool} that it should be: remove it, or set SPOOL_DIR`)
    }
  }
  return alias
}
