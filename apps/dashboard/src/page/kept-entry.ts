/**
 * What a browser keeps per entry of its history for pages that it loads itself, and can't for a page whose content comes
 * later: how far it is scrolled, what has the focus, and what was typed into a form with `data-kept` and not sent. In
 * memory, and in sessionStorage for a reload; forms with secrets don't have the attribute.
 */
interface KeptEntry {
  y: number
  /** A selector; undefined: nothing but the page. */
  focus: string | undefined
  /** By the id of the field. */
  typed: Record<string, string>
}

const storageKey = 'entries'
const mostEntries = 50
/** Data that arrives later moves what is shown: for so long it is scrolled again, and where it is still too short, longer. */
const settlesMs = 3_000
const longestMs = 15_000
const userMoves = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const

const entries = readEntries()
let stopRestoring: (() => void) | undefined
let currentId = idOfEntry()

/** Call before the first render. */
export function keepEntries(): void {
  history.scrollRestoration = 'manual'
  addEventListener('pagehide', () => {
    leaveEntry()
    try {
      sessionStorage.setItem(storageKey, JSON.stringify([...entries].slice(-mostEntries)))
    } catch {
      // Storage is disabled or full.
    }
  })
  restoreEntry()
}

/** Call before the content changes. */
function leaveEntry(): void {
  stopRestoring?.()
  entries.delete(currentId)
  entries.set(currentId, { y: scrollY, focus: selectorOf(document.activeElement), typed: readForms() })
}

export function pushEntry(url: string): void {
  leaveEntry()
  currentId = newId()
  history.pushState({ id: currentId }, '', url)
}

/** Call when the browser has gone to another entry. */
export function returnToEntry(): void {
  leaveEntry()
  currentId = idOfEntry()
  restoreEntry()
}

/** Another user's entries are none of this one's. */
export function forgetEntries(): void {
  entries.clear()
}

/** As the content arrives, until the user does something or everything has settled. */
function restoreEntry(): void {
  const entry = entries.get(currentId)
  if (entry === undefined) return
  const { y, focus } = entry
  const unfilled = new Map(Object.entries(entry.typed))
  const startedAt = performance.now()
  const observer = new MutationObserver(restore)
  const sizes = new ResizeObserver(restore)

  function restore(): void {
    for (const [id, text] of unfilled) if (fillField(id, text)) unfilled.delete(id)
    if (focus !== undefined && hasNoFocus())
      document.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true })
    scrollTo(0, y)
    if (performance.now() - startedAt > (Math.abs(scrollY - y) < 1 ? settlesMs : longestMs)) stop()
  }

  function stop(): void {
    observer.disconnect()
    sizes.disconnect()
    for (const type of userMoves) removeEventListener(type, stop, true)
    stopRestoring = undefined
  }

  for (const type of userMoves) addEventListener(type, stop, true)
  observer.observe(document.body, { childList: true, subtree: true })
  sizes.observe(document.body)
  stopRestoring = stop
}

/** The heading has it only because nothing else was there. */
function hasNoFocus(): boolean {
  const { activeElement } = document
  return activeElement === null || activeElement === document.body || activeElement.tagName === 'H1'
}

/** Finds the element again in the same content, rendered anew. */
export function selectorOf(element: Element | null): string | undefined {
  if (element === null || element.closest('#app') === null || element.tagName === 'H1') return undefined
  if (element.id !== '') return `#${CSS.escape(element.id)}`
  const part = element.closest('header, main')?.tagName ?? ''
  for (const name of ['href', 'aria-label', 'value']) {
    const value = element.getAttribute(name)
    if (value !== null) return `${part} ${element.tagName}[${name}="${CSS.escape(value)}"]`
  }
  return undefined
}

function readForms(): Record<string, string> {
  const fields = document.querySelectorAll<HTMLInputElement>('form[data-kept] input')
  return Object.fromEntries(
    [...fields].filter(({ value }) => value !== '').map(({ id, value }) => [id, value]),
  )
}

/** @returns false while there is no such field */
function fillField(id: string, text: string): boolean {
  const field = document.getElementById(id)
  if (!(field instanceof HTMLInputElement)) return false
  if (field.value === '') {
    field.value = text
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  const details = field.closest('details')
  if (details !== null) details.open = true
  return true
}

function readEntries(): Map<string, KeptEntry> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(storageKey) ?? '[]'))
  } catch {
    return new Map()
  }
}

/** Of the history's entry, which gets an id if it has none. */
function idOfEntry(): string {
  const known: unknown = history.state?.id
  if (typeof known === 'string') return known
  const id = newId()
  history.replaceState({ id }, '')
  return id
}

function newId(): string {
  return Math.random().toString(36).slice(2)
}
