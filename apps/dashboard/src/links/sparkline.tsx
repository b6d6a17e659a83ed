import { number } from '../text/numbers.ts'

const width = 84
const height = 26
const inset = 3

/** Visits by humans in the last 7 UTC days as a small line. */
export function Sparkline({ values }: { values: number[] }) {
  const most = Math.max(...values)
  if (most === 0) return <span class="sparkline" />
  const points = values.map((value, i) => ({
    x: inset + (i * (width - 2 * inset)) / Math.max(1, values.length - 1),
    y: height - inset - (value / most) * (height - 2 * inset),
  }))
  const line = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')
  const last = points.at(-1)
  const words = `Visits by humans per day (UTC), last 7 days: ${values.map(number).join(', ')}`
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words}>
      <title>{words}</title>
      <polygon points={`${inset},${height - inset} ${line} ${width - inset},${height - inset}`} />
      <polyline points={line} />
      {last !== undefined && <circle cx={last.x} cy={last.y} r="2.2" />}
    </svg>
  )
}
