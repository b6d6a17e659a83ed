import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { cleanUpLater } from './clean-up.ts'
import { endWithUs } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait-until.ts'

/** A Redis or Valkey server of one test. */
export interface TestRedis {
  url: string
  port: number
  pid: number
  stop(): Promise<void>
  kill9(): Promise<void>
  /** SIGSTOP and SIGCONT: a server that hangs. */
  freeze(): void
  thaw(): void
  /** Starts again on the same data and port; stops it first if it runs. */
  restart(): Promise<void>
}

export interface TestRedisOptions {
  /** Off by default. */
  appendonly?: boolean
  /** For example `64mb`; unlimited if absent. */
  maxmemory?: string
  appendfsync?: 'always'
  /** The port of the primary. */
  replicaOf?: number
  cluster?: boolean
  policy?: 'noeviction' | 'allkeys-lfu' | 'volatile-lfu' | 'allkeys-lru'
}

const binary = ['redis-server', 'valkey-server'].find(name => spawnSync(name, ['--version']).status === 0)

/** True if tests can start their own Redis. With HOPCOUNT_REQUIRE_REDIS=1 its absence is an error. */
export function redisAvailable(): boolean {
  if (binary === undefined && process.env.HOPCOUNT_REQUIRE_REDIS === '1') {
    throw new Error('HOPCOUNT_REQUIRE_REDIS=1, but neither redis-server nor valkey-server is on the PATH')
  }
  return binary !== undefined
}

/** True if there is any Redis for tests: their own, or the one that TEST_REDIS_URL names. */
export function anyRedisAvailable(): boolean {
  return Boolean(process.env.TEST_REDIS_URL) || redisAvailable()
}

/** An empty Redis: the one that TEST_REDIS_URL names, emptied (only one test at a time may use it), or a new one. */
export async function anyRedis(): Promise<{ url: string }> {
  const url = process.env.TEST_REDIS_URL
  if (!url) return startRedis()
  const client = new Redis(url)
  await client.flushdb()
  await client.quit()
  return { url }
}

export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const folder = temporaryFolder()
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server = await launch(port, folder, options)

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exited = new Promise(resolve => server.once('exit', resolve))
    server.kill(signal)
    server.kill('SIGCONT')
    await exited
  }
  const stop = () => end('SIGTERM')

  cleanUpLater(() => end('SIGKILL'))
  return {
    url,
    port,
    get pid() {
      return server.pid ?? 0
    },
    stop,
    kill9: () => end('SIGKILL'),
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async restart() {
      await stop()
      server = await launch(port, folder, options)
    },
  }
}

async function launch(port: number, folder: string, options: TestRedisOptions): Promise<ChildProcess> {
  if (binary === undefined) throw new Error('neither redis-server nor valkey-server is on the PATH')
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    save: '',
    appendonly: options.appendonly ? 'yes' : 'no',
    'maxmemory-policy': options.policy ?? 'noeviction',
    ...(options.appendfsync && { appendfsync: options.appendfsync }),
    ...(options.replicaOf === undefined ? {} : { replicaof: `127.0.0.1 ${options.replicaOf}` }),
    ...(options.cluster ? { 'cluster-enabled': 'yes' } : {}),
    ...(options.maxmemory === undefined ? {} : { maxmemory: options.maxmemory }),
  }
  const server = spawn(
    binary,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: 'ignore' },
  )
  if (server.pid !== undefined) endWithUs(server.pid)
  await waitUntil(() => answersPing(port), { what: `${binary} answers on port ${port}`, deadlineMs: 10_000 })
  return server
}

/** PONG, and not LOADING: the append-only file has been read. */
async function answersPing(port: number): Promise<boolean> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } finally {
    client.disconnect()
  }
}
