import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'

export interface MenuItem {
  label: string
  run: () => void
  isDanger?: boolean
}

/**
 * A menu button as in the ARIA Authoring Practices Guide: arrow keys, Home, End and first letters move between items,
 * Escape closes the menu and gives the focus back, Tab closes it and moves on.
 */
export function MenuButton(props: {
  /** The button's. */
  id?: string
  label: string
  /** Shown above the items. */
  title?: string | undefined
  items: MenuItem[]
  children: ComponentChildren
}) {
  const { items } = props
  const [isOpen, setOpen] = useState(false)
  const menuId = useId()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  /** The item that gets the focus when the menu opens, counted from the end if negative. */
  const first = useRef(0)

  // Before the next key, which is for an item.
  useLayoutEffect(() => {
    if (isOpen) focusItem(first.current)
  }, [isOpen])

  useEffect(() => {
    if (!isOpen) return
    const closeOutside = (event: Event) => {
      if (!button.current?.parentElement?.contains(event.target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', closeOutside)
    return () => document.removeEventListener('pointerdown', closeOutside)
  }, [isOpen])

  function focusItem(index: number): void {
    const all = list.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? []
    all[(index + all.length) % all.length]?.focus()
  }

  function open(index: number): void {
    first.current = index
    setOpen(true)
  }

  function onButtonKey(event: KeyboardEvent): void {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    open(event.key === 'ArrowDown' ? 0 : -1)
  }

  function onMenuKey(event: KeyboardEvent, index: number): void {
    // A letter is for the menu, and no shortcut of the page.
    event.stopPropagation()
    if (event.key === 'Tab') {
      setOpen(false)
      return
    }
    const target = targetOf(event, index, items)
    if (event.key !== 'Escape' && target === undefined) return
    event.preventDefault()
    if (target !== undefined) focusItem(target)
    else {
      setOpen(false)
      button.current?.focus()
    }
  }

  return (
    <div class="menu">
      <button
        ref={button}
        id={props.id}
        type="button"
        class="icon"
        aria-label={props.label}
        title={props.label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? menuId : undefined}
        onKeyDown={onButtonKey}
        onClick={() => (isOpen ? setOpen(false) : open(0))}
      >
        {props.children}
      </button>
      {isOpen && (
        <div class="menu-body items">
          {props.title !== undefined && <p class="menu-title">{props.title}</p>}
          <div ref={list} id={menuId} role="menu" aria-label={props.label}>
            {items.map((item, index) => (
              <button
                key={item.label}
                type="button"
                role="menuitem"
                tabIndex={-1}
                class={item.isDanger ? 'danger' : undefined}
                onKeyDown={event => onMenuKey(event, index)}
                onClick={() => {
                  setOpen(false)
                  // First, so that a dialog gives the focus back to the button.
                  button.current?.focus()
                  item.run()
                }}
              >
                {item.label}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  )
}

/** The item that a key moves to. */
function targetOf(event: KeyboardEvent, index: number, items: MenuItem[]): number | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined
  const { key } = event
  if (key === 'ArrowDown') return index + 1
  if (key === 'ArrowUp') return index - 1 + items.length
  if (key === 'Home') return 0
  if (key === 'End') return -1
  if (key.length !== 1 || key === ' ') return undefined
  const order = [...items.keys()].map(step => (index + 1 + step) % items.length)
  return order.find(at => items[at]?.label.toLowerCase().startsWith(key.toLowerCase()))
}
