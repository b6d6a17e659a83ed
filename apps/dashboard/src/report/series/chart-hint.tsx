import { number, visits } from '../../text/numbers.ts'
import { intervalNames } from '../period/period.ts'
import type { ChartLayout } from './chart-layout.ts'
import type { ShownSeries } from './shown-series.ts'
import type { Buckets, Zoom } from './zoom.ts'

/** How the buckets can be opened. */
interface Action {
  by: 'mouse' | 'touch' | 'keyboard'
  interval: Zoom['interval']
  isRange: boolean
  open: () => void
}

/** The numbers beside the line. Screen readers have them as the value of the chart's input. */
export function ChartHint(props: {
  series: ShownSeries
  layout: ChartLayout
  buckets: Buckets
  /** Undefined: they can't be opened. */
  action: Action | undefined
}) {
  const { series, buckets, action } = props
  const { x, y, width } = props.layout
  // Moved to the left by the part of its own width that it has on its left on the chart, it never sticks out.
  const part = `${(100 * x(buckets.index)) / width}%`
  const [sum, ...lines] = bucketsInWords(series, buckets)
  return (
    <div
      class="time-chart-hint"
      aria-hidden="true"
      style={{
        left: part,
        top: `${y(series.values[buckets.index] ?? 0)}px`,
        translate: `-${part} calc(-100% - 12px)`,
      }}
    >
      <strong>{sum}</strong>
      {lines.map(line => (
        <span key={line}>{line}</span>
      ))}
      {action && <Opening {...action} />}
    </div>
  )
}

function Opening({ by, interval, isRange, open }: Action) {
  const what = isRange ? 'only these' : intervalNames[interval].title.toLowerCase()
  if (by === 'touch')
    return (
      // Without taking the focus, which keeps the hint.
      <button type="button" tabIndex={-1} onMouseDown={event => event.preventDefault()} onClick={open}>
        Show {what}
      </button>
    )
  const how = by === 'keyboard' ? 'Enter' : isRange ? 'Release' : 'Click'
  return (
    <span>
      {how}: {what}
    </span>
  )
}

/** Number, time, and the number before of one bucket, or of several together. */
export function bucketsInWords(series: ShownSeries, { first, last }: Buckets): string[] {
  const { values, before, names, beforeNames, isRunning, metric } = series
  const sum = (numbers: (number | undefined)[]) =>
    numbers.slice(first, last + 1).reduce<number>((total, value) => total + (value ?? 0), 0)
  const span = (long: string[]) => [...new Set([long[first], long[last]])].join(' – ')
  const isSoFar = isRunning && last === values.length - 1
  return [
    visits(sum(values), metric),
    `${span(names.long)}${isSoFar ? ' (so far)' : ''}`,
    ...(before?.slice(first, last + 1).some(value => value !== undefined)
      ? [`before: ${number(sum(before))}, ${span(beforeNames)}`]
      : []),
  ]
}
