import type { Plot } from './bench-part.ts'
import { number } from './format.ts'

const width = 800
const labelWidth = 300
const valueWidth = 90
const rowHeight = 30
const top = 44

/** Horizontal bars of medians, with whiskers from minimum to maximum. Readable on light and dark backgrounds. */
export function drawPlot({ title, unit, bars }: Plot): string {
  const measured = bars.filter(bar => Number.isFinite(bar.value.median))
  const longest = Math.max(...measured.map(bar => bar.value.max), Number.MIN_VALUE)
  const x = (value: number) => labelWidth + (value / longest) * (width - labelWidth - valueWidth)
  const height = top + measured.length * rowHeight + 12
  const rows = measured.map(({ label, value }, i) => {
    const middle = top + i * rowHeight + rowHeight / 2
    return [
      `<text x="${labelWidth - 10}" y="${middle + 4}" text-anchor="end">${escapeXml(label)}</text>`,
      `<rect x="${labelWidth}" y="${middle - 9}" width="${fixed(x(value.median) - labelWidth)}" height="18" rx="2" fill="#4f86c6"/>`,
      `<path d="M${fixed(x(value.min))} ${middle}H${fixed(x(value.max))}M${fixed(x(value.min))} ${middle - 5}v10M${fixed(x(value.max))} ${middle - 5}v10" stroke="#d9822b" stroke-width="1.5" fill="none"/>`,
      `<text x="${fixed(x(value.max) + 8)}" y="${middle + 4}">${number(value.median)}</text>`,
    ].join('\n  ')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<g font-family="system-ui, sans-serif" font-size="13" fill="#808080">
  <text x="10" y="22" font-size="15">${escapeXml(`${title} (${unit})`)}</text>
  ${rows.join('\n  ')}
</g>
</svg>
`
}

function fixed(value: number): string {
  return value.toFixed(1)
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
