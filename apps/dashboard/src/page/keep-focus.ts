import { selectorOf } from './kept-entry.ts'

/**
 * When what had the focus goes, such as a removed filter, a row, or a control that is rendered anew, the focus goes on: to
 * the same control, else to the next one of its list, else to the heading of its section or page. Without this it would
 * start again at the top of the page. A dialog that closes gives it back itself.
 */
export function keepFocus(): void {
  let last:
    | { element: Element; selector: string | undefined; path: { parent: Element; index: number }[] }
    | undefined

  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof Element) || target.closest('dialog') !== null) return
    last = { element: target, selector: selectorOf(target), path: pathOf(target) }
  })
  // The event does not bubble. The dialog was the last to have the focus, and what it gives it back to may be gone.
  document.addEventListener('close', () => queueMicrotask(() => moveOn()), { capture: true })
  new MutationObserver(moveOn).observe(document.body, { childList: true, subtree: true })

  function moveOn(records: MutationRecord[] = []): void {
    if (last === undefined || document.activeElement !== document.body) return
    const { element, selector, path } = last
    if (element.isConnected) {
      // One that is moved loses the focus, too.
      if (records.some(({ addedNodes }) => [...addedNodes].some(node => node.contains(element))))
        focusOn(element)
      return
    }
    last = undefined
    const same = selector === undefined ? null : document.querySelector(selector)
    focusOn(same ?? nextOf(path) ?? headingOf(path))
  }
}

/** Scrolled to, with its heading on top: another page of a list begins there. */
export function focusHeading(section: Element): void {
  const heading = section.querySelector('h1, h2')
  focusOn(heading)
  heading?.scrollIntoView({ block: 'nearest' })
}

function focusOn(element: Element | null | undefined): void {
  if (!(element instanceof HTMLElement)) return
  if (/^H\d$/.test(element.tagName)) element.tabIndex = -1
  element.focus()
}

function pathOf(element: Element): { parent: Element; index: number }[] {
  const path = []
  for (let at = element; at.parentElement !== null; at = at.parentElement)
    path.push({ parent: at.parentElement, index: [...at.parentElement.children].indexOf(at) })
  return path
}

function nextOf(path: { parent: Element; index: number }[]): Element | null | undefined {
  const list = path.find(({ parent }) => parent.isConnected)
  if (list === undefined || !list.parent.matches('ul, ol, tbody')) return undefined
  const { children } = list.parent
  return children[Math.min(list.index, children.length - 1)]?.querySelector('a, button')
}

function headingOf(path: { parent: Element }[]): Element | null | undefined {
  const section = path.find(({ parent }) => parent.isConnected && parent.matches('section'))
  return section?.parent.querySelector('h2') ?? document.querySelector('h1')
}
