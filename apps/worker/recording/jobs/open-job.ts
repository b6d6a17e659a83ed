import type { DecodedVisit } from '@hopcount/shared/visits/decode-batch.ts'
import { decodeBatch } from '@hopcount/shared/visits/decode-batch.ts'
import type { KeyRing } from '@hopcount/shared/visits/key-ring.ts'
import { isEncrypted, unpackFrames } from '@hopcount/shared/visits/pack-frames.ts'
import { isInSpool, readSealedSegment } from '@hopcount/shared/visits/spooled-frames.ts'
import type { VisitJob } from '@hopcount/shared/visits/visit-batch.ts'

/** Why a batch can't be recorded: it can't be read, or PostgreSQL refuses its data even when alone. */
export class Unrecordable extends Error {
  /** Undefined if it can't be read. */
  readonly visits: number | undefined
  constructor(reason: string, visits?: number) {
    super(reason)
    this.visits = visits
  }
}

/** This worker lacks what it needs to open the job. That is an outage, which ends when the job is replaced, at the latest. */
export class CannotOpen extends Error {}

class KeyMissing extends CannotOpen {
  constructor(fingerprint: string | undefined) {
    super(
      fingerprint === undefined
        ? 'encrypted with a key that SPOOL_DIR does not have'
        : `encrypted with key ${fingerprint}, which SPOOL_DIR does not have`,
    )
  }
}

/** SPOOL_DIR does not have the segment, or not as it was sealed. Its producer sends what can be read of it. */
export class SegmentMissing extends CannotOpen {
  constructor({ seq, producerId }: VisitJob) {
    super(`in segment ${seq} of ${producerId}, which SPOOL_DIR does not have whole`)
  }
}

/** What a worker needs to open jobs where PostgreSQL carries the queue. */
export interface SharedSpool {
  path: string
  keys: KeyRing
}

/**
 * Reads the visits of a job. Accepts whole batches only: producers send sound frames, so anything else was changed on the
 * way.
 */
export function openJob(
  job: VisitJob,
  spool: SharedSpool | undefined,
): DecodedVisit[] | Unrecordable | CannotOpen {
  if (isInSpool(job)) return openSegment(job, spool) ?? new SegmentMissing(job)
  return openFrames(job, spool?.keys)
}

/** Undefined unless the segment consists of sound frames and has all of its visits. */
function openSegment(job: VisitJob, spool: SharedSpool | undefined): DecodedVisit[] | undefined {
  const bytes = spool && readSealedSegment(spool.path, job)
  if (bytes === undefined) return undefined
  const { visits, soundBytes } = decodeBatch(bytes)
  return soundBytes === bytes.length && visits.length === job.visits ? visits : undefined
}

function openFrames(job: VisitJob, keys: KeyRing | undefined): DecodedVisit[] | Unrecordable | KeyMissing {
  const frames = isEncrypted(job.frames) ? openEncrypted(job, keys) : unpackFrames(job.frames)
  if (frames instanceof KeyMissing) return frames
  const { visits, soundBytes } = decodeBatch(frames ?? Buffer.alloc(0))
  return visits.length > 0 && soundBytes === frames?.length
    ? visits
    : new Unrecordable('the frames of the batch are damaged')
}

/** Undefined if the job is damaged: it names a key that we have, or no key where none is used. */
function openEncrypted(
  { frames, key }: VisitJob,
  keys: KeyRing | undefined,
): Buffer | undefined | KeyMissing {
  const candidates = keys?.keysFor(key) ?? []
  for (const { secret } of candidates) {
    const opened = unpackFrames(frames, secret)
    if (opened !== undefined) return opened
  }
  const isDamaged = key === undefined ? keys === undefined : candidates.length > 0
  return isDamaged ? undefined : new KeyMissing(key)
}
