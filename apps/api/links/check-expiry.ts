/** `date-time` of RFC 3339 section 5.6, without second 60, since future leap seconds are unknown. */
const dateTime = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:[0-5]\d)(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** RFC 3339 has four-digit years, so a response could not express a later moment. */
const lastMomentMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * The moment at which a link expires, truncated to the millisecond, or what is wrong with it: a sentence that never
 * repeats the input. A zone is required, since a local time without one is ambiguous.
 */
export function checkExpiry(text: string, now: Date): { expiresAt: Date } | { problem: string } {
  // T and Z may be in lower case (RFC 3339 section 5.6).
  const upperCase = text.toUpperCase()
  const localTime = dateTime.exec(upperCase)?.[1]
  if (localTime === undefined) {
    return {
      problem: 'expires_at must be an RFC 3339 date and time with a zone, such as 2030-12-31T23:59:59Z.',
    }
  }
  const expiresAtMs = Date.parse(upperCase)
  if (!exists(localTime) || Number.isNaN(expiresAtMs)) {
    return { problem: 'expires_at must be a date, time and zone that exist.' }
  }
  if (expiresAtMs > lastMomentMs) return { problem: 'expires_at must not be after the year 9999.' }
  if (expiresAtMs <= now.getTime()) return { problem: 'expires_at must be in the future.' }
  return { expiresAt: new Date(expiresAtMs) }
}

/** Date turns 30 February into 2 March, and 24:00 into the next day, so only a time that exists survives the round trip. */
function exists(localTime: string): boolean {
  const time = new Date(`${localTime}Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(localTime)
}
