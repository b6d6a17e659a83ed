/** A QR code as an SVG, on the page and as a file. Its PNG is in write-png.ts. */
import { encode } from 'uqr'

export const levels = ['L', 'M', 'Q', 'H'] as const
export type Level = (typeof levels)[number]

/** As `#rrggbb`. */
export interface Colors {
  dark: string
  light: string
}

export const blackOnWhite: Colors = { dark: '#000000', light: '#ffffff' }

export interface Code {
  /** Modules per side, the quiet zone included. */
  size: number
  isDark: (x: number, y: number) => boolean
  /** The dark modules as an SVG path in units of modules. */
  path: string
}

/** The quiet zone of 4 modules is part of the code (ISO/IEC 18004): scanners need it. */
export function drawCode(text: string, level: Level): Code {
  const { data, size } = encode(text, { ecc: level, border: 4 })
  const isDark = (x: number, y: number) => data[y]?.[x] === true
  let path = ''
  for (let y = 0; y < size; y++)
    for (let x = 0, end = 0; x < size; x = end + 1) {
      for (end = x; isDark(end, y); ) end++
      if (end > x) path += `M${x} ${y}h${end - x}v1H${x}z`
    }
  return { size, isDark, path }
}

export function writeSvg({ size, path }: Code, colors: Colors, sideMm: number): Blob {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${sideMm}mm" height="${sideMm}mm" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="${colors.light}" d="M0 0h${size}v${size}H0z"/><path fill="${colors.dark}" d="${path}"/></svg>`
  return new Blob([svg], { type: 'image/svg+xml' })
}
