/**
 * A process's part of `/metrics` where several share an address: it sends its metrics to the supervisor, which adds them
 * up (aggregate-metrics.ts).
 */
import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../errors/problem.ts'
import type { Metrics, ToProcess, ToSupervisor } from './metrics-messages.ts'
import { isOurs } from './metrics-messages.ts'

export interface JoinedMetrics {
  /** `now` returns this process's metrics, `fresh` the same with those that have to be asked for. */
  provide(now: () => Promise<Metrics>, fresh: () => Promise<Metrics>): void
  /** The metrics of all processes. Throws a Problem if the supervisor does not respond: one's own would look like a reset. */
  text(): Promise<string>
  /** Sends the last state. */
  close(): Promise<void>
}

const sendEveryMs = 1_000
const supervisorWithinMs = 5_000

/** Undefined in a process that has no siblings. */
export function joinMetrics(): JoinedMetrics | undefined {
  if (!cluster.isWorker) return undefined
  const responses = new Map<number, (text: string) => void>()
  let lastRequest = 0
  let now = async (): Promise<Metrics> => []
  let fresh = now
  let timer: NodeJS.Timeout | undefined

  function receive(message: unknown): void {
    if (!isOurs<ToProcess>(message)) return
    if (message.hopcount === 'send metrics') void sendMetrics(fresh, message.collection)
    else responses.get(message.request)?.(message.text)
  }

  async function sendMetrics(read: () => Promise<Metrics>, collection?: number): Promise<void> {
    await send({ hopcount: 'metrics', metrics: await read(), ...(collection && { collection }) })
  }

  async function text(): Promise<string> {
    const request = ++lastRequest
    const collected = new Promise<string>(resolve => responses.set(request, resolve))
    await send({ hopcount: 'collect', request })
    const text = await Promise.race([collected, sleep(supervisorWithinMs, undefined, { ref: false })])
    responses.delete(request)
    if (text !== undefined) return text
    throw new Problem(503, 'The supervisor of the API processes does not respond.', {
      headers: { 'retry-after': '5' },
    })
  }

  async function close(): Promise<void> {
    clearInterval(timer)
    await sendMetrics(now)
  }

  process.on('message', receive)
  return {
    provide(readNow, readFresh) {
      now = readNow
      fresh = readFresh
      void sendMetrics(now)
      timer = setInterval(() => void sendMetrics(now), sendEveryMs).unref()
    },
    text,
    close,
  }
}

/** Resolves when the message is on its way, or the supervisor is gone: then this process ends, too. */
function send(message: ToSupervisor): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
