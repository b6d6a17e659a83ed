/** Keys and session tokens: 32 random bytes each. Only their SHA-256 is stored: nobody can guess that many bytes. */
import { createHash, randomBytes } from 'node:crypto'

const secretBytes = 32
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** The digits that 2^256 has in base 62. */
const keyDigits = 43

/** The prefix lets scanners of source code find keys that were committed by mistake. */
const keyPrefix = 'hop_'
const keyPattern = new RegExp(`^${keyPrefix}[0-9A-Za-z]{${keyDigits}}$`)
const keyWithin = new RegExp(`${keyPrefix}[0-9A-Za-z]{${keyDigits}}`)
const hintLength = keyPrefix.length + 4

/** In base 62, so that a double click selects all of it. */
export function generateKey(): string {
  let rest = BigInt(`0x${randomBytes(secretBytes).toString('hex')}`)
  let text = ''
  for (let i = 0; i < keyDigits; i++) {
    text = digits.charAt(Number(rest % 62n)) + text
    rest /= 62n
  }
  return keyPrefix + text
}

export function isKey(text: string): boolean {
  return keyPattern.test(text)
}

/** Anywhere in the text. */
export function holdsKey(text: string): boolean {
  return keyWithin.test(text)
}

/** The first characters, by which people recognize a key. */
export function keyHint(key: string): string {
  return key.slice(0, hintLength)
}

export function generateSessionToken(): string {
  return randomBytes(secretBytes).toString('base64url')
}

export function isSessionToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
