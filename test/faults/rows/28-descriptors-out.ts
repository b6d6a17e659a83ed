import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { StartedProcess } from '../../support/processes.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

const preload = fileURLToPath(new URL('../preload/take-descriptors.ts', import.meta.url))
const takesDescriptors = { NODE_OPTIONS: `--import=${preload}` }

/** Three kinds of rounds: idle connections take the descriptors of the API; the API itself does; the worker does. */
export const descriptorsOut: Row = {
  number: 28,
  title:
    'file descriptors run out (limit 256, 600 idle connections): redirects on open connections go on, nothing ends',
  kinds: 3,
  system: { descriptors: 256, apiEnv: takesDescriptors, workerEnv: takesDescriptors },
  async round(system, context) {
    const kind = context.round % 3
    const idle: Socket[] = []
    const failures: string[] = []
    const part = kind === 2 ? system.workers[0] : system.api().process
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        if (kind > 0) part?.kill('SIGWINCH')
        else idle.push(...(await openConnections(system.api().port, 600)))
      },
      // Longer than a second: so often the event loop was measured.
      async lasts() {
        await sleep(3_000)
        if (part === undefined || hasEnded(part)) failures.push('the process ended')
      },
      heal() {
        if (kind > 0) part?.kill('SIGWINCH')
        for (const socket of idle) socket.destroy()
      },
      promises: { redirects: 99.9, drainedWithinMs: 60_000, logLines: 20 },
    })
    result.failures.push(...failures)
    return result
  },
}

async function openConnections(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(sockets.map(socket => once(socket, 'connect').catch(() => {})))
  return sockets
}

function hasEnded({ pid }: StartedProcess): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}
