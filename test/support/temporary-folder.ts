import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cleanUpLater } from './clean-up.ts'
import { runFolder } from './run.ts'

/** An empty folder in the run's folder, removed after the test file. Its name is short: unix sockets may lie in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(runFolder(), 'hop-'))
  cleanUpLater(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}
