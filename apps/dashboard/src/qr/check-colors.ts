/**
 * Whether scanners can tell two colors apart.
 *
 * A code must be dark on light: many scanners do not look for the inverse. The difference in reflectance that they need is
 * graded by ISO/IEC 15415 ("symbol contrast": 70 % is the best grade, 20 % the worst that passes); phones see gray, hand
 * scanners at tills light the code in red, in which a red code is as bright as paper.
 */
import type { Colors } from './draw-code.ts'

/** Grade C of ISO/IEC 15415, the least that its users usually accept. */
const leastDifference = 0.4
/** As for graphics that people must see (WCAG 2.2, 1.4.11). */
const leastRatio = 3

export interface ColorCheck {
  /** As WCAG defines it, 1 to 21. */
  ratio: number
  /** Scanners fail: no file is written. */
  problem?: string
  /** Some scanners fail. */
  warning?: string
}

export function checkColors({ dark, light }: Colors): ColorCheck {
  const [[darkRed, darkLight], [lightRed, lightLight]] = [reflectance(dark), reflectance(light)]
  const ratio = (Math.max(darkLight, lightLight) + 0.05) / (Math.min(darkLight, lightLight) + 0.05)
  if (darkLight > lightLight)
    return { ratio, problem: 'The code must be darker than its background: scanners miss inverted codes.' }
  if (ratio < leastRatio || lightLight - darkLight < leastDifference)
    return { ratio, problem: 'Too little for scanners. Choose a darker code or a lighter background.' }
  if (lightRed - darkRed < leastDifference)
    return { ratio, warning: 'Phones read it, but not scanners with red light, as at tills.' }
  return { ratio }
}

/** Of red light, and of light as people see it (WCAG's relative luminance). */
function reflectance(color: string): [red: number, all: number] {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return [red, 0.2126 * red + 0.7152 * green + 0.0722 * blue]
}
