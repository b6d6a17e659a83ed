import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { decodeBatch } from '../../../apps/shared/visits/decode-batch.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { metric } from '../fault-system.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

/** In even rounds a segment ends with an interrupted write, in odd rounds a bit in its middle is flipped. */
export const spoolDamaged: Row = {
  number: 22,
  title: 'spool file truncated, or with a flipped bit: only the torn tail, or that frame, is missing',
  async round(system, context) {
    const { port } = system.api()
    const failures: string[] = []
    let missing = new Set<string>()
    let segment = ''
    const result = await strikeUnderLoad(system, context, {
      async strike() {
        // Without Redis the visits stay in the spool, in a few long segments.
        await system.redis.kill9()
      },
      async lasts(load) {
        await waitUntil(() => load.answered.size > 1_500, { what: 'visits lie in the spool' })
        const { process } = system.api()
        process.kill('SIGKILL')
        await process.exited
        segment = largestSegment(system.spoolDir)
        if (context.round % 2 === 0) appendTornFrame(segment)
        else missing = idsOf(flipBit(segment, context.random.next()), load.host)
      },
      async heal() {
        await system.redis.restart()
        await system.startApi({}, port)
      },
      mayMiss: () => missing,
      promises: { drainedWithinMs: 60_000 },
    })
    const damagedFile = segment.replace(/\.(open|sealed)$/, '.damaged')
    const alarmed = system.api().process.output().includes('a spool segment is damaged')
    const damages = await metric(`${system.origin()}/metrics`, 'hopcount_spool_damaged_ranges_total')
    if (context.round % 2 === 0) {
      if (alarmed || damages > 0)
        failures.push('a torn tail, whose visits were never redirected, raised an alarm')
    } else {
      if (!alarmed || damages !== 1) failures.push(`a flipped bit raised ${damages} alarms`)
      const kept = readdirSync(dirname(damagedFile)).includes(basename(damagedFile))
      if (!kept) failures.push('the damaged frame is not kept')
    }
    result.failures.push(...failures)
    return result
  },
}

function largestSegment(spoolDir: string): string {
  const segments = readdirSync(spoolDir, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(open|sealed)$/.test(name))
    .map(name => join(spoolDir, name))
    .sort((a, b) => statSync(b).size - statSync(a).size)
  const [largest] = segments
  if (largest === undefined) throw new Error('no segment lies in the spool')
  return largest
}

/** Appends the first bytes of a frame, like a write that the process did not survive. */
function appendTornFrame(path: string): void {
  const bytes = readFileSync(path)
  const [frame] = frames(bytes)
  if (frame === undefined) throw new Error('no frame')
  appendFileSync(path, frame.subarray(0, Math.floor(frame.length / 2)))
}

/** Flips one bit of a frame that is neither the first nor the last, and returns the original frame. */
function flipBit(path: string, chance: number): Buffer {
  const bytes = readFileSync(path)
  const all = frames(bytes)
  const frame = all[1 + Math.floor(chance * (all.length - 2))]
  if (frame === undefined) throw new Error(`${all.length} frames are too few`)
  const before = Buffer.from(frame)
  const at = Math.floor(chance * 1_000_003) % frame.length
  frame.writeUInt8(frame.readUInt8(at) ^ (1 << Math.floor(chance * 7.99)), at)
  writeFileSync(path, bytes)
  return before
}

/** Splits a segment into frames by the format: mark (2 bytes), length of the payload (4), checksum (4), payload. */
function frames(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let offset = 0; offset + 10 <= bytes.length; ) {
    const end = offset + 10 + bytes.readUInt32LE(offset + 2)
    found.push(bytes.subarray(offset, end))
    offset = end
  }
  return found
}

/** The ids of a frame's visits. Each is unique, so the frame itself introduces it as a text. */
function idsOf(frame: Buffer, host: string): Set<string> {
  const referrers = decodeBatch(frame).visits.map(visit => visit.referrer ?? '')
  return new Set(referrers.filter(referrer => URL.parse(referrer)?.host === host))
}
