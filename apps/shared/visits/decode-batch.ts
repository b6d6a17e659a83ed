/** Reads visit batches (visit-batch.ts), even if their bytes are damaged. */
import { crc32 } from 'node:zlib'
import { frameHeaderBytes, frameMark, frameMarkWithoutAddress } from './visit-batch.ts'

export interface DecodedVisit {
  linkId: number
  /** Milliseconds since 1970. */
  visitedAt: number
  referrer: string | undefined
  userAgent: string | undefined
  language?: string | undefined
  address?: string | undefined
}

/** By number; undefined for a text that PostgreSQL can't store. */
type BatchTexts = Map<number, string | undefined>

export interface DecodedBatch extends BatchCondition {
  visits: DecodedVisit[]
}

export interface BatchCondition {
  /** Bytes of whole, sound frames. */
  soundBytes: number
  /** Ranges that are not a frame although sound frames follow, or whole frames with a wrong checksum: changed on disk. */
  damaged: { offset: number; length: number }[]
  /** Bytes after the last whole frame: a write that never returned, so none of its visits was redirected. */
  tornBytes: number
}

/**
 * Decodes a batch. Never throws: what can't be read is reported in `damaged` and `tornBytes`. A text that PostgreSQL
 * can't store (it allows no NUL) is left out of its visit.
 */
export function decodeBatch(bytes: Buffer): DecodedBatch {
  const visits: DecodedVisit[] = []
  const texts: BatchTexts = new Map()
  const condition = readFrames(
    bytes,
    (start, end) => readFrame(bytes, start, end, { texts, visits }) !== undefined,
  )
  return { visits, ...condition }
}

/**
 * The sound frames of a batch, without torn or damaged ranges: what is sent. The same bytes always give the same result.
 * No visit objects are created: a process that starts with a backlog reads many batches.
 */
export function soundFrames(
  bytes: Buffer,
): BatchCondition & { frames: Buffer; visits: number; firstVisitAt: number | undefined } {
  let visits = 0
  let firstVisitAt: number | undefined
  const condition = readFrames(bytes, (start, end) => {
    const frame = readFrame(bytes, start, end)
    if (frame === undefined) return false
    if (frame.visits > 0) firstVisitAt ??= frame.visitedAt
    visits += frame.visits
    return true
  })
  const parts: Buffer[] = []
  let offset = 0
  for (const range of condition.damaged) {
    parts.push(bytes.subarray(offset, range.offset))
    offset = range.offset + range.length
  }
  parts.push(bytes.subarray(offset, bytes.length - condition.tornBytes))
  const frames = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  return { ...condition, frames, visits, firstVisitAt }
}

/** Passes each whole frame to `read`, which returns whether it is sound. */
function readFrames(bytes: Buffer, read: (start: number, end: number) => boolean): BatchCondition {
  const batch: BatchCondition = { soundBytes: 0, damaged: [], tornBytes: 0 }
  let offset = 0
  while (offset < bytes.length) {
    const end = frameEnd(bytes, offset)
    if (end !== undefined && read(offset, end)) {
      batch.soundBytes += end - offset
      offset = end
      continue
    }
    const next = nextFrame(bytes, offset + 1)
    if (next === undefined && isTorn(bytes, offset)) {
      batch.tornBytes = bytes.length - offset
      break
    }
    batch.damaged.push({ offset, length: (next ?? bytes.length) - offset })
    offset = next ?? bytes.length
  }
  return batch
}

/** Where the frame at `offset` ends, if there is a whole frame with the right checksum. */
function frameEnd(bytes: Buffer, offset: number): number | undefined {
  if (offset + frameHeaderBytes > bytes.length || !isMark(bytes.readUInt16LE(offset))) return undefined
  const end = offset + frameHeaderBytes + bytes.readUInt32LE(offset + 2)
  if (end > bytes.length) return undefined
  return crc32(bytes.subarray(offset + frameHeaderBytes, end)) === bytes.readUInt32LE(offset + 6)
    ? end
    : undefined
}

function nextFrame(bytes: Buffer, from: number): number | undefined {
  for (let at = from; at + frameHeaderBytes <= bytes.length; at++) {
    if (bytes[at + 1] === frameMark >> 8 && frameEnd(bytes, at) !== undefined) return at
  }
  return undefined
}

/** An interrupted write leaves the beginning of a frame whose length exceeds the remaining bytes. */
function isTorn(bytes: Buffer, offset: number): boolean {
  if (offset + frameHeaderBytes > bytes.length) return true
  if (!isMark(bytes.readUInt16LE(offset))) return false
  return offset + frameHeaderBytes + bytes.readUInt32LE(offset + 2) > bytes.length
}

function isMark(word: number): boolean {
  return word === frameMark || word === frameMarkWithoutAddress
}

/** What a frame holds; undefined if it can't be read. Its visits and texts are decoded only if `into` is given. */
function readFrame(
  bytes: Buffer,
  start: number,
  end: number,
  into?: { texts: BatchTexts; visits: DecodedVisit[] },
): { visitedAt: number; visits: number } | undefined {
  const hasAddress = bytes.readUInt16LE(start) === frameMark
  const payload = bytes.subarray(start + frameHeaderBytes, end)
  const reader = { offset: 6, payload }
  const visitsBefore = into?.visits.length ?? 0
  const textsBefore: [id: number, text: string | undefined][] = []
  try {
    const visitedAt = payload.readUIntLE(0, 6)
    const visits = readVarint(reader)
    const textCount = readVarint(reader)
    for (let i = 0; i < textCount; i++) {
      const textId = readVarint(reader)
      const length = readVarint(reader)
      if (into !== undefined) {
        textsBefore.push([textId, into.texts.get(textId)])
        into.texts.set(textId, storableText(payload.toString('utf8', reader.offset, reader.offset + length)))
      }
      reader.offset += length
    }
    for (let i = 0; i < visits; i++) {
      const linkId = readVarint(reader)
      const referrerId = readVarint(reader)
      const userAgentId = readVarint(reader)
      const languageId = hasAddress ? readVarint(reader) : 0
      const addressAt = hasAddress ? skipAddress(reader) : reader.offset
      into?.visits.push({
        linkId,
        visitedAt,
        referrer: into.texts.get(referrerId),
        userAgent: into.texts.get(userAgentId),
        language: into.texts.get(languageId),
        address: addressText(payload, addressAt, reader.offset),
      })
    }
    return { visitedAt, visits }
  } catch {
    // Nothing of a frame that can't be read is left, nor a text for later frames to find.
    if (into !== undefined) {
      into.visits.length = visitsBefore
      for (const [id, text] of textsBefore.reverse()) {
        if (text === undefined) into.texts.delete(id)
        else into.texts.set(id, text)
      }
    }
    return undefined
  }
}

function readVarint(reader: { offset: number; payload: Buffer }): number {
  let value = 0
  let scale = 1
  for (;;) {
    const byte = reader.payload[reader.offset++]
    if (byte === undefined || scale > 2 ** 49) throw new RangeError('varint runs past its frame')
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
    scale *= 0x80
  }
}

/** Returns where the address begins; afterwards the reader is where it ends. */
function skipAddress(reader: { offset: number; payload: Buffer }): number {
  const begin = reader.offset + 1
  reader.offset = begin + (reader.payload[reader.offset] ?? 0)
  if (reader.offset > reader.payload.length) throw new RangeError('an address runs past its frame')
  return begin
}

function addressText(payload: Buffer, begin: number, end: number): string | undefined {
  let address = ''
  for (let at = begin; at < end; at++) address += String.fromCharCode(payload[at] ?? 0)
  return address === '' ? undefined : address
}

function storableText(text: string): string | undefined {
  return text.includes('\0') ? undefined : text
}
