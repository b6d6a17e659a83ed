import type { ChartLayout } from './chart-layout.ts'
import type { ShownSeries } from './shown-series.ts'
import type { Buckets } from './zoom.ts'

/** The lines of a series. The preceding period is in the background; what is still in progress is dotted. */
export function ChartDrawing({ series, layout }: { series: ShownSeries; layout: ChartLayout }) {
  const { values, before, isRunning } = series
  const { plot, x, y, rows, labels } = layout
  const complete = isRunning ? values.slice(0, -1) : values
  const line = path(complete, layout)
  const last = values.length - 1
  return (
    <>
      {rows.map(({ value, text }) => (
        <g key={value}>
          <line class="grid" x1={plot.left} x2={plot.right} y1={y(value)} y2={y(value)} />
          <text x={plot.left - 8} y={y(value)} dy="0.35em" text-anchor="end">
            {text}
          </text>
        </g>
      ))}
      {labels.map(label => (
        <text key={label.index} x={label.x} y={layout.height} dy="-0.4em" text-anchor="middle">
          {label.text}
        </text>
      ))}
      {before !== undefined && <path class="before" d={path(before, layout)} />}
      {complete.length > 0 && <path class="area" d={`${line}V${plot.bottom}H${x(0).toFixed(1)}Z`} />}
      <path class="now" d={line} />
      {isRunning && last > 0 && <path class="now running" d={path(values.slice(-2), layout, last - 1)} />}
      {(isRunning || last === 0) && <circle class="point" cx={x(last)} cy={y(values[last] ?? 0)} r="3.5" />}
    </>
  )
}

/** Where there is no value, the line is interrupted. */
function path(values: (number | undefined)[], { x, y }: ChartLayout, first = 0): string {
  return values
    .map((value, i) =>
      value === undefined
        ? ''
        : `${values[i - 1] === undefined ? 'M' : 'L'}${x(first + i).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .join('')
}

/** Behind the lines: where the pointer is, and the buckets selected. */
export function Cursor({ layout, index, first, last }: Buckets & { layout: ChartLayout }) {
  const { plot, x } = layout
  const half = (x(1) - x(0)) / 2
  return (
    <>
      {first < last && (
        <rect
          class="selected"
          x={x(first) - half}
          width={x(last) - x(first) + 2 * half}
          y={plot.top}
          height={plot.bottom - plot.top}
        />
      )}
      <line class="cursor" x1={x(index)} x2={x(index)} y1={plot.top} y2={plot.bottom} />
    </>
  )
}

export function Point(props: { series: ShownSeries; layout: ChartLayout; index: number }) {
  const { series, layout, index } = props
  return <circle class="point" cx={layout.x(index)} cy={layout.y(series.values[index] ?? 0)} r="4.5" />
}
