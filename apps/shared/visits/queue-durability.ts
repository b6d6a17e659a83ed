/**
 * How far a batch must have got in the queue's Redis before its redirects may leave (VISIT_DURABILITY): acknowledged by the
 * primary in any case; with `replicas` also by so many replicas (WAIT); with `fsync` also on disk in the append-only file
 * (WAITAOF, or `appendfsync always`, where the acknowledgement itself says so).
 *
 * WAIT and WAITAOF speak of the writes of their own connection, so they are sent on the one that added the job. They
 * hold up what comes after them on it, for `waitMs` at most.
 */

export interface QueueDurability {
  replicas: number
  fsync: boolean
}

/** What BullMQ gives out of its connection to Redis. */
export interface RedisCommands {
  runCommand(name: string, args: string[]): Promise<unknown>
}

/** This Redis can't do what is configured. */
export class QueueUnfit extends Error {}

/** Rejects if the writes so far have not got that far in time: they may get there later, so nobody knows. */
export type AwaitWrites = (client: RedisCommands) => Promise<void>

const waitMs = 1_000
/** WAITAOF came with Redis 7.2. Valkey reports 7.2 or newer as its `redis_version`. */
const firstWithWaitAof = [7, 2] as const

/** Throws QueueUnfit. Number and state of the replicas are not looked at: they come and go. */
export async function chooseAwaitWrites(
  client: RedisCommands,
  { replicas, fsync }: QueueDurability,
): Promise<AwaitWrites> {
  if (fsync && !(await syncsAlways(client))) {
    const version = infoField(await client.runCommand('info', ['server']), 'redis_version')
    if (!hasWaitAof(version)) {
      throw new QueueUnfit(
        `QUEUE_FSYNC=on needs Redis 7.2 or newer, or \`appendfsync always\`; this is ${version}`,
      )
    }
    return async waiting => {
      const answer = await waiting.runCommand('waitaof', ['1', String(replicas), String(waitMs)])
      const [local, remote] = Array.isArray(answer) ? answer.map(Number) : []
      if (local !== 1 || Number(remote) < replicas)
        throw new Error(
          `the queue's append-only file is not on disk after ${waitMs} ms (${local}, ${remote})`,
        )
    }
  }
  if (replicas === 0) return async () => {}
  return async waiting => {
    const reached = Number(await waiting.runCommand('wait', [String(replicas), String(waitMs)]))
    if (reached < replicas) throw new Error(`${reached} of ${replicas} replicas of the queue have the batch`)
  }
}

/** True if Redis acknowledges a write only when it is on disk. */
async function syncsAlways(client: RedisCommands): Promise<boolean> {
  const isOn = infoField(await client.runCommand('info', ['persistence']), 'aof_enabled') === '1'
  if (!isOn) throw new QueueUnfit('QUEUE_FSYNC=on needs a Redis with `appendonly yes`')
  // Managed services withhold CONFIG; WAITAOF does without it.
  const setting = await client.runCommand('config', ['GET', 'appendfsync']).catch(() => [])
  return Array.isArray(setting) && setting[1] === 'always'
}

function hasWaitAof(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number)
  const [firstMajor, firstMinor] = firstWithWaitAof
  return major > firstMajor || (major === firstMajor && minor >= firstMinor)
}

function infoField(info: unknown, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(String(info))?.[1]
}
