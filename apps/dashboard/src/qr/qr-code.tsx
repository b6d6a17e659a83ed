import type { Code, Colors } from './draw-code.ts'
import { blackOnWhite } from './draw-code.ts'

/** Always dark on light, even in dark mode: many scanners support nothing else. Below it stands what it says. */
export function QrCode(props: { text: string; code: Code; colors?: Colors }) {
  const { text, code, colors = blackOnWhite } = props
  const { size, path } = code
  return (
    <figure class="qr-code">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={`QR code of ${text}`}>
        <rect width={size} height={size} fill={colors.light} />
        <path d={path} fill={colors.dark} />
      </svg>
      <figcaption>
        <bdi>{text}</bdi>
      </figcaption>
    </figure>
  )
}
