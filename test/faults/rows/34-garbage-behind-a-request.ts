import type { Load } from '../../support/checker.ts'
import { followers, getRequest, statusesOfPacket } from '../../support/pipelined-requests.ts'
import type { FaultSystem } from '../fault-system.ts'
import type { RoundContext, Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

const packets = 40

export const garbageBehindARequest: Row = {
  number: 34,
  title:
    'garbage in the same packet after valid requests: each valid one gets its 307 before the connection ends',
  async round(system, context) {
    const failures: string[] = []
    const result = await strikeUnderLoad(system, context, {
      strike: () => {},
      async lasts(load) {
        for (let i = 0; i < packets; i++) failures.push(...(await sendPacket(system, load, context)))
      },
      heal: () => {},
      promises: { redirects: 100, shorten: 100, stats: 100, drainedWithinMs: 60_000, logLines: 10 },
    })
    result.failures.push(...failures)
    return result
  },
}

let sent = 0

async function sendPacket(system: FaultSystem, load: Load, { random }: RoundContext): Promise<string[]> {
  const [name, follower] = random.pick(Object.entries(followers))
  const ids = Array.from({ length: random.integer(1, 5) }, () => `http://${load.host}/packet-${++sent}`)
  const valid = ids.map(id => getRequest(`/${random.pick(system.slugs)}`, { referer: id }))
  const statuses = await statusesOfPacket(system.api().port, valid, follower)
  for (const [index, id] of ids.entries()) load[statuses[index] === 307 ? 'answered' : 'unknown'].add(id)
  const expected = [...ids.map(() => 307), follower.status ?? []].flat()
  return String(statuses) === String(expected)
    ? []
    : [`${ids.length} requests, then ${name}: the statuses were ${statuses.join(', ') || 'none'}`]
}
