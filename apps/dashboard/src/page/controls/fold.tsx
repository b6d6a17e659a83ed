import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

const storageKey = 'unfolded'
/** The width below which the stylesheet hides what is folded. In print, nothing is. */
const narrow = matchMedia('screen and (max-width: 44rem)')

export interface Fold {
  /** For the section. */
  class: string
  isOpen: boolean
  toggle: () => void
}

/** A section that on a phone is only its heading until it is unfolded. Kept while the tab is open, for all reports alike. */
export function useFold(name: string, isOpenAtFirst = false): Fold {
  const [isOpen, setOpen] = useState(readUnfolded()[name] ?? isOpenAtFirst)
  return {
    class: isOpen ? 'fold' : 'fold folded',
    isOpen,
    toggle() {
      setOpen(!isOpen)
      try {
        sessionStorage.setItem(storageKey, JSON.stringify({ ...readUnfolded(), [name]: !isOpen }))
      } catch {
        // Storage is disabled or full.
      }
    },
  }
}

/** Its heading, which on a phone is a button. */
export function FoldHeading(props: { id: string; fold: Fold; children: ComponentChildren }) {
  const { id, fold, children } = props
  const [isNarrow, setNarrow] = useState(narrow.matches)
  useEffect(() => {
    const read = () => setNarrow(narrow.matches)
    narrow.addEventListener('change', read)
    return () => narrow.removeEventListener('change', read)
  }, [])
  return (
    <h2 id={id} tabIndex={-1}>
      {isNarrow ? (
        <button type="button" class="fold-button" aria-expanded={fold.isOpen} onClick={fold.toggle}>
          {children}
        </button>
      ) : (
        children
      )}
    </h2>
  )
}

function readUnfolded(): Record<string, boolean> {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey) ?? '{}')
  } catch {
    return {}
  }
}
