/**
 * Frames as the queue carries them: compressed, in base64 (BullMQ carries JSON), and encrypted where PostgreSQL is the
 * queue, so that no visitor's address lies there in plain text. The same frames always give the same text, so a batch
 * can be compared with what the queue holds.
 *
 * The first bytes tell the format: 0x00 is encrypted, zstd's magic number (RFC 8878, section 3.1.1) is compressed,
 * anything else is plain frames as the previous release sent them.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const zstdMagic = 0xfd2fb528
const encryptedMark = 0x00
const nonceBytes = 12
const tagBytes = 16
/** Longer than any batch: a segment ends at 256 KiB, or with the visits of one event-loop turn. */
const maxFramesBytes = 64 * 1024 * 1024

/** @param key 32 bytes; if given, the frames are encrypted with it */
export function packFrames(frames: Buffer, key?: Buffer): string {
  const compressed = zstdCompressSync(frames)
  return (key === undefined ? compressed : encrypt(compressed, key)).toString('base64')
}

/** Undefined if the text was not made by packFrames with this key. */
export function unpackFrames(text: string, key?: Buffer): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  try {
    const opened = isEncrypted(text) ? decrypt(bytes, key) : bytes
    if (opened === undefined || opened.length < 4 || opened.readUInt32LE(0) !== zstdMagic) return opened
    return zstdDecompressSync(opened, { maxOutputLength: maxFramesBytes })
  } catch {
    return undefined
  }
}

export function isEncrypted(text: string): boolean {
  return Buffer.from(text.slice(0, 4), 'base64')[0] === encryptedMark
}

/**
 * AES-256-GCM with a nonce derived from the plain text: different texts don't share a nonce, and equal texts give equal
 * output. That reveals nothing here: a batch that is sent again has the same id anyway.
 */
function encrypt(bytes: Buffer, key: Buffer): Buffer {
  const nonce = createHmac('sha256', key).update(bytes).digest().subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const encrypted = [cipher.update(bytes), cipher.final()]
  return Buffer.concat([Buffer.of(encryptedMark), nonce, cipher.getAuthTag(), ...encrypted])
}

function decrypt(bytes: Buffer, key: Buffer | undefined): Buffer | undefined {
  if (key === undefined) return undefined
  const nonceEnd = 1 + nonceBytes
  const tagEnd = nonceEnd + tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, nonceEnd))
  decipher.setAuthTag(bytes.subarray(nonceEnd, tagEnd))
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()])
}
