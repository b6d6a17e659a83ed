import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const hotLink: Row = {
  number: 23,
  title: 'two workers, one link with half of the visits and 1,000 links in random order: no deadlock',
  system: { workers: 2, apis: 2, links: 1_001 },
  async round(system, context) {
    const [hot = '', ...others] = system.slugs
    const slugs = Array.from({ length: 4_000 }, (_, i) => (i % 2 === 0 ? hot : context.random.pick(others)))
    const deadlocks = async () => {
      const { rows } = await system.pool.query<{ deadlocks: number }>(
        'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
      )
      return rows[0]?.deadlocks ?? -1
    }
    const [first, second] = system.apis
    if (first === undefined || second === undefined) throw new Error('two API processes are needed')
    let turn = 0
    const before = await deadlocks()
    const result = await strikeUnderLoad(system, context, {
      load: { slugs, connections: 16, pauseMs: 0, origin: () => (turn++ % 2 ? first : second).origin },
      strike: () => {},
      lasts: context.full ? 8_000 : 4_000,
      heal: () => {},
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000, logLines: 5 },
    })
    await system.pool.query('SELECT pg_stat_force_next_flush()')
    const found = (await deadlocks()) - before
    if (found !== 0) result.failures.push(`${found} deadlocks`)
    return result
  },
}
