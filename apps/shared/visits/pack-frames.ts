/**
 * Frames on their way through the queue: compressed, as base64 (BullMQ carries JSON), and sealed where PostgreSQL is
 * the queue: addresses of visitors never lie there in the clear. The same frames always give the same text, so a batch
 * that the queue holds can be compared.
 *
 * First bytes: 0x00 sealed, zstd's magic number (RFC 8878, section 3.1.1) compressed, else plain frames as the release
 * before sent them.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const zstdMagic = 0xfd2fb528
const sealedMark = 0x00
const nonceBytes = 12
const tagBytes = 16
/** Longer than any batch: a segment ends at 256 KiB, or with the visits of one turn of the event loop. */
const maxFramesBytes = 64 * 1024 * 1024

/** @param key 32 bytes; with it the frames are sealed */
export function packFrames(frames: Buffer, key?: Buffer): string {
  const compressed = zstdCompressSync(frames)
  return (key === undefined ? compressed : seal(compressed, key)).toString('base64')
}

/** Undefined where the text was not made by packFrames, or with another key. */
export function unpackFrames(text: string, key?: Buffer): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  try {
    const opened = isSealed(text) ? unseal(bytes, key) : bytes
    if (opened === undefined || opened.length < 4 || opened.readUInt32LE(0) !== zstdMagic) return opened
    return zstdDecompressSync(opened, { maxOutputLength: maxFramesBytes })
  } catch {
    return undefined
  }
}

export function isSealed(text: string): boolean {
  return Buffer.from(text.slice(0, 4), 'base64')[0] === sealedMark
}

/**
 * AES-256-GCM with a nonce made of what is sealed: two different texts never share one, and equal ones are equal sealed,
 * which is no secret here (a batch is sent again under its own id).
 */
function seal(bytes: Buffer, key: Buffer): Buffer {
  const nonce = createHmac('sha256', key).update(bytes).digest().subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = [cipher.update(bytes), cipher.final()]
  return Buffer.concat([Buffer.of(sealedMark), nonce, cipher.getAuthTag(), ...sealed])
}

function unseal(bytes: Buffer, key: Buffer | undefined): Buffer | undefined {
  if (key === undefined) return undefined
  const nonceEnd = 1 + nonceBytes
  const tagEnd = nonceEnd + tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, nonceEnd))
  decipher.setAuthTag(bytes.subarray(nonceEnd, tagEnd))
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()])
}
