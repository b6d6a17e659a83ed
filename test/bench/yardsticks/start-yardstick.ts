import { freePort } from '../../../apps/stack/processes/free-port.ts'
import type { StartedProcess } from '../../support/processes.ts'
import { startProcess } from '../../support/processes.ts'

export interface RunningYardstick {
  origin: string
  process: StartedProcess
}

export type Yardstick =
  | 'bare-fastify'
  | 'bare-node-http'
  | 'bare-shorten'
  | 'count-in-memory'
  | 'insert-per-request'
  | 'insert-per-visit'
  | 'naive-api'
  | 'naive-worker'

/** Starts one of the programs in this folder on a free port. Stopped by cleanUp(). */
export async function startYardstick(
  name: Yardstick,
  env: Record<string, string> = {},
): Promise<RunningYardstick> {
  const port = await freePort()
  const started = startProcess({
    script: `test/bench/yardsticks/${name}.ts`,
    env: { NODE_ENV: 'production', ...env, PORT: String(port) },
  })
  await started.waitForLine(/^listening$/)
  return { origin: `http://127.0.0.1:${port}`, process: started }
}
