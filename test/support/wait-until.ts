import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until the answer is neither false nor undefined, and returns it. A condition that throws is
 * asked again too; its last error tells why the wait failed.
 */
export async function waitUntil<T>(
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  options: { what: string; deadlineMs?: number; everyMs?: number },
): Promise<T> {
  const { what, deadlineMs = 30_000, everyMs = 25 } = options
  const deadline = Date.now() + deadlineMs
  let failure: unknown
  for (;;) {
    try {
      const answer = await condition()
      if (answer !== false && answer !== undefined) return answer
      failure = undefined
    } catch (error) {
      failure = error
    }
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`, { cause: failure })
    await sleep(everyMs)
  }
}
