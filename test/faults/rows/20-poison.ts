import { newProducerId } from '../../../apps/api/visits/producer-folder.ts'
import type { VisitJob } from '../../../apps/shared/visits/visit-batch.ts'
import { encodeFrame } from '../../../apps/shared/visits/visit-batch.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { metric, workerMetrics } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const poison: Row = {
  number: 20,
  title:
    'poison jobs, and visits with NUL, lone surrogates, dates out of range: jobs set aside, good visits counted',
  async round(system, context) {
    const failures: string[] = []
    const [worker] = system.workers
    if (worker === undefined) throw new Error('no worker')
    const metrics = await workerMetrics(worker)
    const setAside = () => metric(metrics, 'hopcount_jobs_set_aside_total')
    const failedBefore = (await system.queue.counts()).failed
    const setAsideBefore = await setAside()
    const marker = `http://poison${context.round}.test`
    const poisonJobs = unreadableJobs(marker)
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        for (const job of poisonJobs) await system.queue.add(job)
        await system.queue.add(oddVisits(marker))
      },
      lasts: 500,
      heal: () => {},
      promises: { redirects: 99.9, shorten: 99, stats: 99, drainedWithinMs: 60_000 },
    })
    await waitUntil(async () => (await setAside()) - setAsideBefore === poisonJobs.length, {
      what: `${poisonJobs.length} jobs are set aside; now: ${(await setAside()) - setAsideBefore}`,
    })
    const failed = (await system.queue.counts()).failed - failedBefore
    if (failed !== poisonJobs.length)
      failures.push(`${failed} of ${poisonJobs.length} poison jobs are kept as failed`)
    const { rows } = await system.pool.query<{ referrer: string | null; times: number }>(
      `SELECT coalesce(visits.referrer, referrers.text) AS referrer, count(*)::int AS times FROM visits
       LEFT JOIN texts AS referrers ON referrers.id = visits.referrer_id
       LEFT JOIN texts AS agents ON agents.id = visits.user_agent_id
       WHERE coalesce(visits.user_agent, agents.text) = $1 GROUP BY 1`,
      [marker],
    )
    const times = (of: (referrer: string | null) => boolean) =>
      rows.filter(row => of(row.referrer)).reduce((sum, row) => sum + row.times, 0)
    if (times(() => true) !== 6) failures.push(`of 6 visits with odd values ${times(() => true)} are counted`)
    if (times(referrer => referrer === `${marker}/good`) !== 3)
      failures.push('the good visits of the same batch are not counted')
    if (times(referrer => referrer?.includes('\u0000') ?? false) > 0) failures.push('a NUL was stored')
    result.failures.push(...failures)
    return result
  },
}

/** Jobs that are not a batch, or whose frames are damaged. */
function unreadableJobs(marker: string): VisitJob[] {
  const sound = encodeFrame([{ linkId: 1, referrer: marker, userAgent: undefined }], Date.now(), new Map())
  const flipped = Buffer.from(sound)
  flipped.writeUInt8(flipped.readUInt8(20) ^ 1, 20)
  const job = (frames: string): VisitJob => ({ producerId: newProducerId(), seq: 1, frames })
  return [
    job(''),
    job('not base64 \u0000 at all'),
    job(Buffer.from('{"visits":[]}').toString('base64')),
    job(flipped.toString('base64')),
    job(sound.subarray(0, sound.length - 1).toString('base64')),
    { ...job(sound.toString('base64')), producerId: `someone-${newProducerId()}` },
    { ...job(sound.toString('base64')), seq: -1 },
    { producerId: newProducerId(), seq: 2, frames: 5 as unknown as string },
  ]
}

/** Six visits, three of them with values that PostgreSQL or a decoder may reject. */
function oddVisits(marker: string): VisitJob {
  const texts = new Map<string, number>()
  const visit = (referrer: string) => ({ linkId: 1, referrer, userAgent: marker })
  const good = visit(`${marker}/good`)
  // The encoder writes one byte per character: ED A0 80 is a lone surrogate in what looks like UTF-8.
  const frames = [
    encodeFrame([good, visit('http://nul.test/\u0000'), good], Date.now(), texts),
    encodeFrame([visit('http://surrogate.test/\u00ed\u00a0\u0080')], Date.now(), texts),
    encodeFrame([visit('http://far.test/')], 2 ** 48 - 1, texts),
    encodeFrame([good], 0, texts),
  ]
  return { producerId: newProducerId(), seq: 1, frames: Buffer.concat(frames).toString('base64') }
}
