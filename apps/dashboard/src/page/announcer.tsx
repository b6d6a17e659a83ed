import { useEffect } from 'preact/hooks'

const announcerId = 'announcer'

/** Where screen readers hear what a change of the page led to. There is one, which is there before the first text. */
export function Announcer() {
  return <div id={announcerId} class="visually-hidden" role="status" />
}

/**
 * Says the text once for each key, as soon as there is one: what the user has asked for by a period, filter or search. News
 * of the same thing are not said.
 */
export function useAnnouncement(key: string, text: string | undefined): void {
  const isKnown = text !== undefined
  useEffect(() => {
    const announcer = document.getElementById(announcerId)
    if (announcer !== null && text !== undefined) announcer.textContent = text
  }, [key, isKnown])
}
