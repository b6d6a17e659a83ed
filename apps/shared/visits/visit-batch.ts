/**
 * The visit batch: the contract between the API, which writes batches, and the worker, which records them.
 *
 * A batch is named by (producer id, sequence number), and its bytes never change once it is sealed. The bytes are a
 * sequence of frames. A frame holds the visits of one write, all redirected at the same moment:
 *
 *   0  u16  0x48C2, by which a reader finds the next frame after damage
 *   2  u32  length of the payload in bytes
 *   6  u32  CRC-32 of the payload
 *  10       payload: u48 time (ms since 1970), varint visits,
 *           varint new texts, each: varint id, varint bytes, UTF-8;
 *           then per visit: varint link id, varint text ids of referrer, user agent and language (0: none),
 *           u8 length of the address, the address as text
 *
 * All integers are little-endian, varints are LEB128. A text (referrer, user agent, language) is written once per batch
 * and referred to by its number afterwards: a visit with known texts takes 4 to 8 bytes plus its address. The numbers are
 * explicit, so a damaged frame costs later visits only the texts that it introduced.
 *
 * Frames of the previous release (0x48C1) have neither language nor address; a spool that it left can still be read.
 */
import { crc32 } from 'node:zlib'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { readQualities } from '../accept-qualities.ts'

export interface Visit {
  linkId: number
  /** As the HTTP parser returns it: one character per byte. */
  referrer: string | undefined
  /** May have a note of other headers behind it (agents/client-hints.ts). */
  userAgent: string | undefined
  /** The Accept-Language header; its preferred language is kept. */
  language?: string | undefined
  /** The client's IP address. It never leaves the worker, which derives a country and a hash from it. */
  address?: string | undefined
}

/** Longer texts are cut, to so many characters. */
const maxReferrerLength = 2_048
const maxUserAgentLength = 512
const maxLanguageLength = 35
/** Of the header; browsers send up to some 100. */
const maxLanguagesLength = 500
/** An IPv6 address that ends in an IPv4 address (RFC 4291, section 2.2) has up to 45 characters. */
const maxAddressLength = 45

export const frameMark = 0x48c2
export const frameMarkWithoutAddress = 0x48c1
export const frameHeaderBytes = 10

/** Numbers the texts of one batch. */
export type BatchTexts = Map<string, number>

let scratch = Buffer.allocUnsafe(256 * 1024)

/** Encodes visits that were redirected at `visitedAt` as one frame, and adds the texts it introduces to `texts`. */
export function encodeFrame(visits: Visit[], visitedAt: number, texts: BatchTexts): Buffer {
  return Buffer.from(encodeFrameForNow(visits, visitedAt, texts))
}

/** The same, in memory that the next call overwrites. */
export function encodeFrameForNow(visits: Visit[], visitedAt: number, texts: BatchTexts): Buffer {
  const newTexts: string[] = []
  let bytesNeeded = frameHeaderBytes + 6 + 10
  for (const visit of visits) {
    bytesNeeded += 40 + maxAddressLength
    bytesNeeded += introduceText(texts, newTexts, cut(visit.referrer, maxReferrerLength))
    bytesNeeded += introduceText(texts, newTexts, cut(visit.userAgent, maxUserAgentLength))
    bytesNeeded += introduceText(texts, newTexts, preferredLanguage(visit.language))
  }
  if (bytesNeeded > scratch.length) scratch = Buffer.allocUnsafe(bytesNeeded * 2)

  let offset = frameHeaderBytes
  scratch.writeUIntLE(visitedAt, offset, 6)
  offset = writeVarint(offset + 6, visits.length)
  offset = writeVarint(offset, newTexts.length)
  let textId = texts.size - newTexts.length
  for (const text of newTexts) {
    offset = writeVarint(offset, ++textId)
    offset = writeVarint(offset, text.length)
    offset += scratch.write(text, offset, 'latin1')
  }
  for (const visit of visits) {
    offset = writeVarint(offset, visit.linkId)
    offset = writeVarint(offset, textNumber(texts, cut(visit.referrer, maxReferrerLength)))
    offset = writeVarint(offset, textNumber(texts, cut(visit.userAgent, maxUserAgentLength)))
    offset = writeVarint(offset, textNumber(texts, preferredLanguage(visit.language)))
    offset = writeAddress(offset, visit.address ?? '')
  }
  const payload = scratch.subarray(frameHeaderBytes, offset)
  scratch.writeUInt16LE(frameMark, 0)
  scratch.writeUInt32LE(payload.length, 2)
  scratch.writeUInt32LE(crc32(payload), 6)
  return scratch.subarray(0, offset)
}

function cut(text: string | undefined, maxLength: number): string | undefined {
  return text !== undefined && text.length > maxLength ? text.slice(0, maxLength) : text
}

/**
 * Of `de-CH, de;q=0.9, en;q=0.8` (RFC 9110, section 12.5.4): `de-CH`. Browsers list the preferred language first, without
 * a quality: nothing can be preferred to that.
 */
function preferredLanguage(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  let end = 0
  while (end < header.length && end < maxLanguageLength && header[end] !== ',' && header[end] !== ';') end++
  if (header[end] === ';' || !/^[a-z]/i.test(header)) return languageOfHighestQuality(header)
  return end === header.length ? header : header.slice(0, end)
}

/** Undefined if none is named: `*`, or qualities of 0. */
function languageOfHighestQuality(header: string): string | undefined {
  let best: { language: string | undefined; quality: number } = { language: undefined, quality: 0 }
  for (const [language, quality] of readQualities(header.slice(0, maxLanguagesLength)))
    if (language !== '*' && quality > best.quality) best = { language, quality }
  return best.language?.slice(0, maxLanguageLength)
}

function introduceText(texts: BatchTexts, newTexts: string[], text: string | undefined): number {
  if (!text || texts.has(text)) return 0
  texts.set(text, texts.size + 1)
  newTexts.push(text)
  return text.length + 10
}

function textNumber(texts: BatchTexts, text: string | undefined): number {
  return text ? (texts.get(text) ?? 0) : 0
}

function writeVarint(offset: number, value: number): number {
  while (value >= 0x80) {
    scratch[offset++] = (value % 0x80) | 0x80
    value = Math.floor(value / 0x80)
  }
  scratch[offset++] = value
  return offset
}

/** An address consists of digits, letters, dots and colons, one byte each: written without a call out of JavaScript. */
function writeAddress(offset: number, address: string): number {
  const length = address.length > maxAddressLength ? 0 : address.length
  scratch[offset++] = length
  for (let i = 0; i < length; i++) scratch[offset++] = address.charCodeAt(i)
  return offset
}

const VisitJobSchema = Type.Object({
  producerId: Type.String({
    pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$',
    description: 'UUID v7 of the API process that sent the redirects',
  }),
  seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  frames: Type.String({ description: 'the frames of the batch, packed (pack-frames.ts)' }),
  key: Type.Optional(Type.String({ description: 'fingerprint of the key that encrypts the frames' })),
  visits: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'number of visits, if the frames are in the spool (spooled-frames.ts)',
    }),
  ),
})

/** What travels through the queue: one batch. */
export type VisitJob = Static<typeof VisitJobSchema>

const visitJob = Compile(VisitJobSchema)

/** The job's data if it is a batch, else undefined. */
export function parseVisitJob(data: unknown): VisitJob | undefined {
  return visitJob.Check(data) ? data : undefined
}

export interface BatchId {
  producerId: string
  seq: number
}

/** A batch's id as one string: the job id, and the key in maps. */
export function batchKey({ producerId, seq }: BatchId): string {
  return `${producerId}-${seq}`
}
