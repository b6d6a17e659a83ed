/** What one part of the page tells all others. */
export const pageEvents = new EventTarget()

/**
 * - `changed`: the page has changed something.
 * - `unauthorized`: a request had no valid session.
 * - `doubted`: the connection may be gone, or the page has slept: what is polled first is polled now.
 * - `recovered`: a request has succeeded after failures: whatever failed is requested again now.
 */
export type PageEvent = 'changed' | 'unauthorized' | 'doubted' | 'recovered'

export function tell(event: PageEvent): void {
  pageEvents.dispatchEvent(new Event(event))
}

/** Returns a function that stops listening. */
export function listen(target: EventTarget, events: string[], listener: () => void): () => void {
  for (const event of events) target.addEventListener(event, listener)
  return () => {
    for (const event of events) target.removeEventListener(event, listener)
  }
}
