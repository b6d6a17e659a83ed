import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'
import { cleanUpLater } from '../support/clean-up.ts'
import { root } from '../support/processes.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome']

const executable = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap(folder => names.map(name => join(folder, name)))
  .find(existsSync)

/** True where there is a browser for tests. Under HOPCOUNT_REQUIRE_BROWSER=1 its absence is an error. */
export function browserAvailable(): boolean {
  if (executable === undefined && process.env.HOPCOUNT_REQUIRE_BROWSER === '1')
    throw new Error(`HOPCOUNT_REQUIRE_BROWSER=1, but none of ${names.join(', ')} is on the PATH`)
  return executable !== undefined
}

/** A browser with a profile of its own, which asks nobody but the pages it is sent to; ended after the test file. */
export async function openBrowser(): Promise<Browser> {
  if (executable === undefined) throw new Error(`none of ${names.join(', ')} is on the PATH`)
  const browser = await chromium.launch({
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    timeout: 60_000,
  })
  cleanUpLater(() => browser.close())
  return browser
}

/** The page that the API serves, made from the sources as they are. */
export function buildDashboard(): void {
  const built = spawnSync(process.execPath, [join(root, 'apps/dashboard/build.ts'), '--if-changed'], {
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`the dashboard could not be built:\n${built.stdout}${built.stderr}`)
}
