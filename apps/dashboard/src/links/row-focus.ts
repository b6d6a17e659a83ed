import { useLayoutEffect } from 'preact/hooks'

/** Keeps the focus in a row that moves: to move an element in the document takes the focus from it. */
export function useRowFocus(list: { current: HTMLElement | null }): void {
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
