/** The request header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07), and what is derived from it. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { Problem } from '../errors/problem.ts'

/**
 * The key of the header's value: a string in quotes, as the draft has it (RFC 9651, section 3.3.3), or bare, as most
 * clients send it. Both forms of a text are the same key. Two headers, which Node joins by a comma and a blank, are none.
 */
export function parseIdempotencyKey(header: string): string {
  const quoted = /^"((?:[\x20\x21\x23-\x5B\x5D-\x7E]|\\["\\])*)"$/.exec(header)?.[1]
  const key = quoted?.replace(/\\(["\\])/g, '$1') ?? (/^[\x21-\x7E]+$/.test(header) ? header : '')
  if (key === '' || key.length > maxKeyLength || (quoted === undefined && header.startsWith('"')))
    throw new Problem(
      400,
      `Idempotency-Key must have 1 to ${maxKeyLength} visible ASCII characters, in quotes or not.`,
    )
  return key
}

const maxKeyLength = 255

export interface KeyOwner {
  /** The API key's id; 0: the request came without one. */
  id: number
  /** Where a request without an API key came from: strangers who choose the same text must not share responses. */
  network: string
}

/** What a response is stored under. */
export function hashKey(key: string, owner: KeyOwner): Buffer {
  const scope = owner.id === 0 ? `\0${owner.network}` : ''
  return createHash('sha256').update(`${key}${scope}`).digest()
}

export function hashRequest(method: string, path: string, body: unknown): Buffer {
  return createHash('sha256')
    .update(`${method} ${path}\n${JSON.stringify(body)}`)
    .digest()
}

const ivBytes = 12
const tagBytes = 16

/**
 * A response may hold a new API key, which nobody who reads the database may learn. Whoever knows the Idempotency-Key can
 * decrypt it, which is as hard to guess as that text is.
 */
export function encryptResponse(text: string, key: string, hash: Buffer): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(key, hash), iv)
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), encrypted])
}

export function decryptResponse(stored: Buffer, key: string, hash: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(key, hash), stored.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAuthTag(stored.subarray(ivBytes, ivBytes + tagBytes))
  return Buffer.concat([decipher.update(stored.subarray(ivBytes + tagBytes)), decipher.final()]).toString(
    'utf8',
  )
}

function deriveKey(key: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, 'hopcount idempotency', 32))
}
