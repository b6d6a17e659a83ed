/**
 * The compose stack under a project name, an image tag and ports of its own: nothing of a stack that runs on this
 * machine already is touched. No setting but the base images is taken from this environment or a `.env`: what is
 * tried is what somebody gets who only types `docker compose up`.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { assertPortIsFree, freePort } from '../../apps/stack/processes/free-port.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const composeFile = join(root, 'docker-compose.yml')
const keptVariables = new Set(['NODE_IMAGE', 'POSTGRES_IMAGE', 'REDIS_IMAGE', 'NPMRC'])

export interface ComposeProject {
  image: string
  /** Where API containers may answer: one port each. */
  addresses: string[]
  docker(args: string[], deadlineSeconds?: number): Promise<string>
  compose(args: string[], deadlineSeconds?: number): Promise<string>
  /** Ids of everything that carries the project's label. */
  list(kind: 'container' | 'volume' | 'network'): Promise<string[]>
}

/** Commands end, and throw, when `signal` is aborted; `remove` then still works. */
export async function openProject(
  signal: AbortSignal,
): Promise<ComposeProject & { remove(): Promise<void> }> {
  const name = `hopcount-test-${process.pid}`
  const firstPort = await freePortPair()
  const environment = {
    ...withoutSettings(process.env),
    TAG: name,
    HOPCOUNT_PORT: `${firstPort}-${firstPort + 1}`,
  }

  async function run(
    args: string[],
    deadlineSeconds: number,
    options: { signal?: AbortSignal },
  ): Promise<string> {
    try {
      const { stdout } = await promisify(execFile)('docker', args, {
        ...options,
        cwd: root,
        env: environment,
        timeout: deadlineSeconds * 1_000,
        maxBuffer: 64 * 1024 * 1024,
      })
      return stdout.trim()
    } catch (error) {
      const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
      const lastLines = output.trim().split('\n').slice(-20).join('\n')
      throw new Error(`docker ${args.join(' ')}\n${lastLines}`, { cause: error })
    }
  }
  const composeArgs = (args: string[]) => [
    'compose',
    '-p',
    name,
    '-f',
    composeFile,
    '--env-file',
    '/dev/null',
    ...args,
  ]

  return {
    image: `hopcount:${name}`,
    addresses: [firstPort, firstPort + 1].map(port => `http://127.0.0.1:${port}`),
    docker: (args, deadlineSeconds = 60) => run(args, deadlineSeconds, { signal }),
    compose: (args, deadlineSeconds = 180) => run(composeArgs(args), deadlineSeconds, { signal }),
    async list(kind) {
      const all = kind === 'container' ? ['--all'] : []
      const ids = await run(
        [kind, 'ls', '-q', ...all, '--filter', `label=com.docker.compose.project=${name}`],
        60,
        {},
      )
      return ids.split('\n').filter(id => id !== '')
    },
    async remove() {
      await run(composeArgs(['down', '--volumes', '--remove-orphans', '--timeout', '5']), 180, {})
      await run(['image', 'rm', '--force', `hopcount:${name}`], 60, {})
    },
  }
}

/** Why there is no engine to work with; undefined where there is one. */
export async function whyNoEngine(): Promise<string | undefined> {
  for (const args of [['info'], ['compose', 'version']]) {
    try {
      await promisify(execFile)('docker', args, { timeout: 30_000 })
    } catch (error) {
      const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      return absent ? 'docker is not on the PATH' : `docker ${args.join(' ')} fails`
    }
  }
  return undefined
}

/** Without the variables that docker-compose.yml reads. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings = new Set(readFileSync(composeFile, 'utf8').match(/(?<=\$\{)[A-Z_]+/g))
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !settings.has(name) || keptVariables.has(name)),
  )
}

async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort()
    const second = port < 65_535 && assertPortIsFree(port + 1, '127.0.0.1')
    if (
      second !== false &&
      (await second.then(
        () => true,
        () => false,
      ))
    )
      return port
  }
}
