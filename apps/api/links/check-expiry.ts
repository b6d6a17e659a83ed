/** `date-time` of RFC 3339 section 5.6, less the 60th second: nobody knows the leap seconds to come. */
const dateTime = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:[0-5]\d)(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** RFC 3339 has four digits for the year, so a later moment could not be written in an answer. */
const lastMomentMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * The moment from which on a link is expired, or what is wrong with it: a sentence that never repeats the input.
 * A zone is required, since without one nobody knows whose clock is meant. Cut off to the millisecond.
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

/** Date rolls 30 February over to 2 March, and 24:00 to the next day: what exists comes back as it was written. */
function exists(localTime: string): boolean {
  const time = new Date(`${localTime}Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(localTime)
}
