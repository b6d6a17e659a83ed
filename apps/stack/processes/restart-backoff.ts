/** How long to wait before something that ended by itself is started again: 0.5 s, doubling up to 30 s. */
const firstDelayMs = 500
const longestDelayMs = 30_000
/** After running this long it has recovered, and the next wait is the short one again. */
const steadyAfterMs = 60_000

export interface RestartBackoff {
  started(): void
  nextDelayMs(): number
}

export function createRestartBackoff(): RestartBackoff {
  let delayMs = firstDelayMs
  let startedAt = performance.now()
  return {
    started() {
      startedAt = performance.now()
    },
    nextDelayMs() {
      if (performance.now() - startedAt > steadyAfterMs) delayMs = firstDelayMs
      const chosen = delayMs
      delayMs = Math.min(delayMs * 2, longestDelayMs)
      return chosen
    },
  }
}
