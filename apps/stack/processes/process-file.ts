/** `<folder>/processes`: the process ids of API and worker while they run, so that the next start can end leftovers. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endProcess } from './running-process.ts'

/** Without any process the file is removed. */
export function writeProcesses(folder: string, pids: Record<string, number>): void {
  const file = join(folder, 'processes')
  if (Object.keys(pids).length === 0) rmSync(file, { force: true })
  else writeFileSync(file, JSON.stringify(pids))
}

/**
 * API and worker of an earlier start whose launcher was killed stop by themselves, which may take a while; until
 * then they hold ports and connections.
 */
export async function endLeftovers(folder: string, scripts: Record<string, string>): Promise<void> {
  for (const [name, pid] of Object.entries(readProcesses(folder))) {
    const script = scripts[name]
    if (script === undefined) continue
    const ended = await endProcess(pid, command => command.includes(script), [
      ['SIGTERM', 15_000],
      ['SIGKILL', 5_000],
    ])
    if (!ended) throw new Error(`the ${name} of an earlier start (process ${pid}) does not end`)
  }
}

function readProcesses(folder: string): Record<string, number> {
  try {
    const pids: unknown = JSON.parse(readFileSync(join(folder, 'processes'), 'utf8'))
    return Object.fromEntries(
      Object.entries(pids ?? {}).filter(([, pid]) => Number.isInteger(pid) && pid > 0),
    )
  } catch {
    // Nothing was started before, or a crash cut the file short: leftovers end by themselves.
    return {}
  }
}
