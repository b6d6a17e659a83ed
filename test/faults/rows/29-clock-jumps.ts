import { fileURLToPath } from 'node:url'
import { waitUntil } from '../../support/wait-until.ts'
import type { Row } from '../row.ts'
import type { SmallDisk } from '../small-disk.ts'
import { mountSmallDisk } from '../small-disk.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

let disk: SmallDisk | undefined
const preload = fileURLToPath(new URL('../preload/shift-clock.ts', import.meta.url))
const twoHoursMs = 2 * 3_600_000
/** Visits are tried again after 250 ms, Redis after at most a second. */
const atOnceMs = 5_000

/** Four kinds of rounds: the clock of the API, or of the worker, jumps back, or ahead. */
export const clockJumps: Row = {
  number: 29,
  title:
    'a clock jumps by 2 h while the spool’s disk is full and Redis is down: redirects and counting go on as soon as both are back',
  needs: ['redis', 'mounts'],
  kinds: 4,
  options() {
    disk = mountSmallDisk('2m')
    return { spoolDir: disk.path }
  },
  async round(system, context) {
    const ofApi = context.round % 4 < 2
    const env = {
      NODE_OPTIONS: `--import=${preload}`,
      CLOCK_SHIFT_MS: String(context.round % 2 === 0 ? -twoHoursMs : twoHoursMs),
      CLOCK_SHIFT_ON: 'SIGWINCH',
    }
    const { port, process } = system.api()
    await process.stop()
    await system.startApi(env, port)
    for (const worker of system.workers.splice(0)) await worker.stop()
    const worker = await system.startWorker(env)
    for (const slug of system.slugs) await fetch(`${system.origin()}/${slug}`, { redirect: 'manual' })
    const failures: string[] = []
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        await system.redis.kill9()
        disk?.fill()
      },
      async lasts(load) {
        await disk?.keepFull(700)
        const jumps = ofApi ? system.api().process : worker
        jumps.kill('SIGWINCH')
        const answered = load.answered.size
        await disk?.keepFull(1_000)
        if (load.answered.size > answered + 6)
          failures.push('redirects went out although nothing could keep their visits')
      },
      async heal(load) {
        disk?.makeRoom()
        await system.redis.restart()
        const answered = load.answered.size
        await waitUntil(() => load.answered.size > answered, {
          what: 'redirects go on',
          deadlineMs: atOnceMs * context.slack,
        }).catch(error => failures.push(String(error)))
      },
      promises: { shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 20 },
    })
    result.failures.push(...failures)
    return result
  },
}
