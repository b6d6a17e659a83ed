import { number } from '../../text/numbers.ts'

const width = 84
const height = 26
const inset = 3

/** Visits by humans in the last 7 UTC days as a small line, dotted to today, which is not over. */
export function Sparkline({ values }: { values: number[] }) {
  const most = Math.max(...values)
  if (most === 0) return <span class="sparkline" />
  const points = values.map((value, i) => ({
    x: inset + (i * (width - 2 * inset)) / Math.max(1, values.length - 1),
    y: height - inset - (value / most) * (height - 2 * inset),
  }))
  const written = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`)
  const line = written.slice(0, -1).join(' ')
  const [lastComplete, today] = points.slice(-2)
  const words = `Visits by humans per day (UTC), last 7 days: ${values.map(number).join(', ')} so far today`
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words}>
      <title>{words}</title>
      <polygon
        points={`${inset},${height - inset} ${line} ${lastComplete?.x.toFixed(1)},${height - inset}`}
      />
      <polyline points={line} />
      <polyline class="running" points={written.slice(-2).join(' ')} />
      {today !== undefined && <circle cx={today.x} cy={today.y} r="2.2" />}
    </svg>
  )
}
