import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUpLater } from './clean-up.ts'

/** An empty folder, removed after the test file. Its name is short: unix sockets may lie in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hop-'))
  cleanUpLater(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}
