import { useEffect, useState } from 'preact/hooks'
import { keepPreference, readPreference } from './preference.ts'

export const themes = ['automatic', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const storageKey = 'theme'
const systemIsDark = matchMedia('(prefers-color-scheme: dark)')
const changed = new EventTarget()

/** Call before the first render. The stylesheet depends on `data-theme`. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = readTheme()
}

export function chooseTheme(theme: Theme): void {
  keepPreference(storageKey, theme)
  applyTheme()
  changed.dispatchEvent(new Event('change'))
}

/** The user's choice, and whether the page is currently dark. */
export function useTheme(): { theme: Theme; dark: boolean } {
  const [state, setState] = useState(readState)
  useEffect(() => {
    const read = () => setState(readState())
    changed.addEventListener('change', read)
    systemIsDark.addEventListener('change', read)
    return () => {
      changed.removeEventListener('change', read)
      systemIsDark.removeEventListener('change', read)
    }
  }, [])
  return state
}

function readState(): { theme: Theme; dark: boolean } {
  const theme = readTheme()
  return { theme, dark: theme === 'dark' || (theme === 'automatic' && systemIsDark.matches) }
}

function readTheme(): Theme {
  return themes.find(theme => theme === readPreference(storageKey)) ?? 'automatic'
}
