import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cleanUpLater } from '../support/clean-up.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export interface SmallDisk {
  path: string
  /** Not one byte is left. */
  fill(): void
  /** Recorded segments are deleted, and the room they leave would end the fault: fills it again and again. */
  keepFull(milliseconds: number): Promise<void>
  makeRoom(): void
}

let mountable: boolean | undefined

/** Root alone may mount, and in a container not even root without CAP_SYS_ADMIN: so it is tried, once. */
export function canMount(): boolean {
  mountable ??= process.platform === 'linux' && process.getuid?.() === 0 && triesToMount()
  return mountable
}

function triesToMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'hop-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' })
    execFileSync('umount', [path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** A tmpfs of its own, unmounted after the row. */
export function mountSmallDisk(size: string): SmallDisk {
  const path = temporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', path])
  cleanUpLater(() => execFileSync('umount', ['--lazy', path]))
  const filler = join(path, 'filler')

  function fill(): void {
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
  }

  return {
    path,
    fill,
    async keepFull(milliseconds) {
      const until = performance.now() + milliseconds
      while (performance.now() < until) {
        fill()
        await sleep(20)
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
  }
}
