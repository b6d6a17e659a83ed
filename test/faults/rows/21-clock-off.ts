import { fileURLToPath } from 'node:url'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

const hourMs = 3_600_000
const shifts = [hourMs, -hourMs, 24 * hourMs, -24 * hourMs, 400 * 24 * hourMs]
/** A visit from further ahead is counted there (worker/recording/describe/bound-times.ts). */
const aheadMs = 2 * 24 * hourMs
const preload = fileURLToPath(new URL('../preload/shift-clock.ts', import.meta.url))

/** In even rounds the clock of the API is off, in odd rounds that of the second worker. */
export const clockOff: Row = {
  number: 21,
  title:
    'clock of one process off by an hour, a day or a year: false stalls are absorbed, every visit is kept',
  async round(system, context) {
    const shiftMs = context.random.pick(shifts)
    const env = { NODE_OPTIONS: `--import=${preload}`, CLOCK_SHIFT_MS: String(shiftMs) }
    const ofApi = context.round % 2 === 0
    const part = ofApi ? await system.startApi(env) : undefined
    const worker = ofApi ? undefined : await system.startWorker(env)
    const result = await strikeUnderLoad(system, context, {
      strike: () => {},
      lasts: context.full ? 6_000 : 3_000,
      heal: () => {},
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 10 },
    })
    if (part !== undefined) {
      await part.process.stop()
      system.apis.pop()
      const { rows } = await system.pool.query<{ off: number }>(
        `SELECT count(*)::int AS off FROM visits LEFT JOIN texts ON texts.id = visits.referrer_id
         WHERE split_part(coalesce(visits.referrer, texts.text), '/', 3) = $1 AND abs(extract(epoch FROM visited_at - now()) - $2) < 300`,
        [result.load.host, Math.min(shiftMs, aheadMs) / 1_000],
      )
      if ((rows[0]?.off ?? 0) < result.verdict.answered)
        result.failures.push(
          `${rows[0]?.off} of ${result.verdict.answered} visits have the time that its clock showed`,
        )
    }
    if (worker !== undefined) {
      await worker.stop()
      system.workers.pop()
    }
    return result
  },
}
