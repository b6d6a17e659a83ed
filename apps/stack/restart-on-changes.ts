/**
 * `npm run dev`: API and worker are restarted when their sources change, and the page is built again when its own do. The API
 * serves the built page, so a reload at its address shows the change.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Part, Stack } from './stack.ts'
import { watchSources } from './watch-sources.ts'

const apps = fileURLToPath(new URL('..', import.meta.url))
const build = join(apps, 'dashboard/build.ts')

export function restartOnChanges(stack: Stack, complain: (line: string) => void): void {
  const restart = (folder: string, parts: Part[]) =>
    watchSources([join(apps, folder)], file => {
      complain(`apps/${folder}/${file} changed; restarting ${parts.join(' and ')}`)
      for (const part of parts) void stack.restart(part)
    })
  restart('api', ['api'])
  restart('worker', ['worker'])
  restart('shared', ['api', 'worker'])

  let building = Promise.resolve()
  watchSources([join(apps, 'dashboard/src'), join(apps, 'dashboard/public')], file => {
    building = building.then(() => rebuild(file))
  })

  async function rebuild(file: string): Promise<void> {
    complain(`the page's ${file} changed; building it`)
    try {
      await promisify(execFile)(process.execPath, [build, '--if-changed'])
      // The API has a route for each file that was built when it started.
      await stack.restart('api')
      complain('the page is built: reload it')
    } catch (error) {
      const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
      process.stderr.write(`${output}\n`)
      complain('the page could not be built; the last build is still served')
    }
  }
}
