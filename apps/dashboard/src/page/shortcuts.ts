import { useLayoutEffect } from 'preact/hooks'
import { keepPreference, readPreference } from './preference.ts'

const storageKey = 'shortcuts'

/** Single-key shortcuts can be turned off (WCAG 2.2, 2.1.4), since speech input types keys. */
export function shortcutsAreOn(): boolean {
  return readPreference(storageKey) !== 'off'
}

export function turnShortcuts(on: boolean): void {
  keepPreference(storageKey, on ? 'on' : 'off')
}

/** Runs the key's action, unless the user is typing, choosing from a list, or in a dialog. */
export function useShortcuts(actions: Record<string, (() => void) | undefined>): void {
  // Immediately rather than after the next frame, so that a key pressed as soon as the page appears works.
  useLayoutEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !shortcutsAreOn()) return
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
      const action = actions[event.key.toLowerCase()]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  })
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'radio' && target.type !== 'checkbox'
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement
}
