import type { QueueKey } from './queue-key.ts'
import { readQueueKeys } from './queue-key.ts'

/** The keys with which a worker opens jobs: the current one, and those that it replaced as long as their files are kept. */
export interface KeyRing {
  /** The key with this fingerprint, or every key if the job does not name one (release 0.1). */
  keysFor(fingerprint: string | undefined): QueueKey[]
}

const readAgainAfterMs = 1_000

/** Looks into the folder again when it is asked for a key that it does not have: it may have been put there, or replaced. */
export function createKeyRing(spoolDir: string, current: QueueKey): KeyRing {
  const keys = new Map([[current.fingerprint, current]])
  let readAt = Number.NEGATIVE_INFINITY

  function keysFor(fingerprint: string | undefined): QueueKey[] {
    const known = fingerprint === undefined ? undefined : keys.get(fingerprint)
    if (known !== undefined) return [known]
    if (performance.now() - readAt > readAgainAfterMs) {
      readAt = performance.now()
      for (const [name, key] of readKeys()) keys.set(name, key)
    }
    if (fingerprint === undefined) return [...keys.values()]
    const found = keys.get(fingerprint)
    return found === undefined ? [] : [found]
  }

  /** Without the folder, the keys in memory still open what they opened before. */
  function readKeys(): Map<string, QueueKey> {
    try {
      return readQueueKeys(spoolDir)
    } catch {
      return new Map()
    }
  }

  return { keysFor }
}
