import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { cleanUpLater } from '../support/clean-up.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export interface SmallDisk {
  path: string
  /** Not one byte is left. */
  fill(): void
  makeRoom(): void
}

export const canMount = () => process.platform === 'linux' && process.getuid?.() === 0

/** A tmpfs of its own, unmounted after the row. */
export function mountSmallDisk(size: string): SmallDisk {
  const path = temporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', path])
  cleanUpLater(() => execFileSync('umount', ['--lazy', path]))
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      const file = openSync(filler, 'a')
      for (const bytes of [1024 * 1024, 4096, 1]) {
        const chunk = Buffer.alloc(bytes)
        try {
          while (writeSync(file, chunk) === bytes);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
      closeSync(file)
    },
    makeRoom: () => rmSync(filler, { force: true }),
  }
}
