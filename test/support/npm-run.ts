/** `npm start` or `npm test` as a terminal runs it, and what is left of it when it has ended. Linux only: it looks into /proc. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { commandLine, sendSignal } from '../../apps/stack/processes/running-process.ts'
import { cleanUpLater } from './clean-up.ts'
import { childrenOf, processesWith } from './process-tree.ts'
import { root } from './processes.ts'
import { endWithUs } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait-until.ts'

export const npmStartDeadlineMs = 120_000

export interface NpmRun {
  npm: number
  bootstrap: number
  /** Vitest or the launcher. */
  program: number
  /** Command lines of all processes whose environment or arguments name the run's folder. */
  processes(): string[]
  /** What lies in its folder for temporary files. */
  folders(): string[]
}

/** Runs npm in a process group of its own, and waits until everything has started. `folder` will have `data` in it. */
export async function startNpm(
  args: string[],
  options: {
    environment: Record<string, string>
    hasStarted: (output: string) => boolean
    folder?: string
  },
): Promise<NpmRun> {
  const { environment, hasStarted, folder = temporaryFolder() } = options
  const temporary = join(folder, 't')
  mkdirSync(temporary, { recursive: true })
  const child = spawn('npm', args, {
    cwd: root,
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: temporary,
      DATA_DIR: join(folder, 'data'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const npm = child.pid ?? 0
  endWithUs(npm)
  cleanUpLater(() => {
    for (const { pid } of processesWith(folder)) sendSignal(pid, 'SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  await waitUntil(() => hasStarted(output), {
    what: `npm ${args.join(' ')} has started`,
    deadlineMs: npmStartDeadlineMs,
  }).catch(error => {
    throw new Error(`${error.message}; output:\n${output}`)
  })
  const bootstrap = onlyChild(npm, 'bootstrap.mjs')
  return {
    npm,
    bootstrap,
    program: onlyChild(bootstrap, ''),
    processes: () => processesWith(folder).map(({ command }) => command),
    // npm and vitest share Node's cache of compiled code with all other programs.
    folders: () => readdirSync(temporary).filter(name => name !== 'node-compile-cache'),
  }
}

function onlyChild(pid: number, name: string): number {
  const children = childrenOf(pid).filter(child => commandLine(child)?.includes(name))
  if (children.length !== 1 || children[0] === undefined)
    throw new Error(`${commandLine(pid)} has ${children.length} children ${name}`)
  return children[0]
}

/** Throws if anything is left after `withinMs`. */
export async function waitUntilNothingIsLeft(run: NpmRun, withinMs: number): Promise<void> {
  let left: string[] = []
  await waitUntil(
    () => {
      left = [...run.processes(), ...run.folders()]
      return left.length === 0
    },
    { what: 'no process and no folder is left', deadlineMs: withinMs },
  ).catch(error => {
    throw new Error(`${error.message}; left:\n${left.join('\n')}`)
  })
}
