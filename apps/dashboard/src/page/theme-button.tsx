import { HalfIcon, MoonIcon, SunIcon } from './controls/icons.tsx'
import { chooseTheme, themes, useTheme } from './theme.ts'

const icons = { automatic: HalfIcon, light: SunIcon, dark: MoonIcon }

export function ThemeButton() {
  const { theme } = useTheme()
  const Icon = icons[theme]
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'automatic'
  const label = `Theme: ${theme}. Change to ${next}`
  return (
    <button type="button" class="icon" aria-label={label} title={label} onClick={() => chooseTheme(next)}>
      <Icon />
    </button>
  )
}
