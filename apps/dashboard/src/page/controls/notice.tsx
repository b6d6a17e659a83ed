import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'

interface Notice {
  text: string
  /** Offered for some seconds. */
  undo?: (() => void) | undefined
}

const NoticeContext = createContext<(notice: Notice) => void>(() => {})
const shownMs = 10_000

/** Says what has just been done, also to screen readers, and offers to undo it. */
export function NoticeProvider({ children }: { children: ComponentChildren }) {
  const [notice, setNotice] = useState<Notice>()
  // While it has the focus or the pointer, it stays (WCAG 2.2, 2.2.1).
  const [isHeld, setHeld] = useState(false)
  useEffect(() => {
    if (notice === undefined || isHeld) return
    const timer = setTimeout(() => setNotice(undefined), shownMs)
    return () => clearTimeout(timer)
  }, [notice, isHeld])
  return (
    <NoticeContext.Provider value={setNotice}>
      {children}
      <div class="notice" role="status">
        {notice !== undefined && (
          <div
            onPointerEnter={() => setHeld(true)}
            onPointerLeave={() => setHeld(false)}
            onFocusIn={() => setHeld(true)}
            onFocusOut={() => setHeld(false)}
          >
            <bdi>{notice.text}</bdi>
            {notice.undo !== undefined && (
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  setHeld(false)
                  setNotice(undefined)
                  notice.undo?.()
                }}
              >
                Undo
              </button>
            )}
          </div>
        )}
      </div>
    </NoticeContext.Provider>
  )
}

export function useNotice(): (notice: Notice) => void {
  return useContext(NoticeContext)
}
