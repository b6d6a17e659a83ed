/** What concerns requests that other parts of the page have made. */
export const pageEvents = new EventTarget()

/** `changed`: the page has changed something. `unauthorized`: a request had no valid session. */
export type PageEvent = 'changed' | 'unauthorized'

export function tell(event: PageEvent): void {
  pageEvents.dispatchEvent(new Event(event))
}
