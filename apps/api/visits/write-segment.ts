import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a sealed segment as a whole. When it returns (with fsync: when its promise resolves) the bytes are as durable as
 * those of the spool (visit-spool.ts, which also says why the write is synchronous). When it fails, there is no file.
 *
 * A process that dies in between leaves a torn frame, the only one in the file: it is dropped, and was not answered.
 */
export function writeSegment(path: string, frames: Buffer, fsync: boolean): void | Promise<void> {
  if (fsync) return writeDurably(path, frames)
  try {
    const fd = openSync(path, 'w', 0o640)
    try {
      for (let at = 0; at < frames.length; ) at += writeSync(fd, frames, at)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    removeFile(path)
    throw error
  }
}

async function writeDurably(path: string, frames: Buffer): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_DSYNC } = constants
  try {
    const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DSYNC, 0o640)
    try {
      await file.writeFile(frames)
    } finally {
      await file.close()
    }
    // The name of a new file is durable only once its folder is synced (fsync(2)).
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    removeFile(path)
    throw error
  }
}

/** Where that fails, an adopter finds the file; the caller voids its number. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {}
}
