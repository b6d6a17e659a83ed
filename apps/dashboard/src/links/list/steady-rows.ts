/**
 * Lists are read again and again, and rows come, go and move. None does so under a pointer, which might be about to click,
 * nor while a menu or dialog of a row is open: the rows then stay, with new figures, until the pointer leaves. What the
 * user has changed is shown at once.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { pageEvents } from '../../api/events.ts'

interface Row {
  slug: string
}

/** For this long after a change by the user, what a list says may be due to it. */
const ownChangeMs = 3_000

/** @param key of what the list shows: the rows of another list are shown at once */
export function useSteadyRows<R extends Row>(rows: R[], key: string) {
  const list = useRef<HTMLOListElement>(null)
  const shown = useRef({ rows, key })
  const [isPointedAt, setPointedAt] = useState(false)
  const changedAt = useRef(Number.NEGATIVE_INFINITY)
  useEffect(() => {
    const noteChange = () => {
      changedAt.current = performance.now()
    }
    pageEvents.addEventListener('changed', noteChange)
    return () => pageEvents.removeEventListener('changed', noteChange)
  }, [])

  const before = shown.current
  const isFree = before.key !== key || performance.now() - changedAt.current < ownChangeMs
  const isHeld = !isFree && (isPointedAt || hasOpened(list.current))
  const steady = isFree
    ? rows
    : isHeld
      ? withNewFigures(before.rows, rows)
      : withFocused(before.rows, rows, list.current)
  shown.current = { rows: steady, key }
  useKeptFocus(list)
  return {
    rows: steady,
    /** Whether rows have come, gone or moved, and the pointer keeps that from being shown. */
    isBehind: isHeld && steady.some(({ slug }, index) => rows[index]?.slug !== slug),
    list: {
      ref: list,
      onPointerEnter: () => setPointedAt(true),
      onPointerLeave: () => setPointedAt(false),
    },
  }
}

/** A menu, or a dialog, which belongs to a row or was opened from one. */
function hasOpened(list: Element | null): boolean {
  return (
    list?.querySelector('[aria-haspopup][aria-expanded="true"]') != null ||
    document.querySelector('dialog[open]') !== null
  )
}

function withNewFigures<R extends Row>(shown: R[], rows: R[]): R[] {
  const bySlug = new Map(rows.map(row => [row.slug, row]))
  return shown.map(row => bySlug.get(row.slug) ?? row)
}

/** The row that has the focus stays although it has fallen off the end of the list. */
function withFocused<R extends Row>(shown: R[], rows: R[], list: Element | null): R[] {
  const index = [...(list?.children ?? [])].findIndex(row => row.contains(document.activeElement))
  const focused = shown[index]
  if (focused === undefined || rows.some(({ slug }) => slug === focused.slug)) return rows
  return rows.toSpliced(index, 0, focused)
}

/** To move an element in the document takes the focus from it. */
function useKeptFocus(list: { current: HTMLElement | null }): void {
  const focused = document.activeElement
  useLayoutEffect(() => {
    if (
      focused instanceof HTMLElement &&
      focused !== document.activeElement &&
      list.current?.contains(focused)
    )
      focused.focus({ preventScroll: true })
  })
}
