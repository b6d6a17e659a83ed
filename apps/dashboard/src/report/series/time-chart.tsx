import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { number, visits } from '../../text/numbers.ts'
import { ChartDrawing } from './chart-drawing.tsx'
import type { ChartLayout, Measured } from './chart-layout.ts'
import { chartHeight, layOutChart } from './chart-layout.ts'
import type { ShownSeries } from './shown-series.ts'

interface TimeChartProps {
  series: ShownSeries
  /** The text alternative. */
  describedBy: string
}

/** A series as lines. A pointer or the arrow keys show the numbers of a bucket. */
export function TimeChart({ series, describedBy }: TimeChartProps) {
  const probe = useRef<SVGTextElement>(null)
  const measured = useMeasured(probe)
  const [chosen, choose] = useState<number>()
  const layout = measured && layOutChart(series, measured)
  const last = series.values.length - 1
  const index = chosen === undefined ? undefined : Math.min(chosen, last)
  return (
    <div
      class="time-chart"
      onPointerMove={event =>
        choose(layout?.bucketAt(event.clientX - event.currentTarget.getBoundingClientRect().left))
      }
      onPointerLeave={() => choose(undefined)}
    >
      <div role="img" aria-labelledby={describedBy}>
        <svg aria-hidden="true" viewBox={`0 0 ${measured?.width ?? 1} ${chartHeight}`}>
          <text ref={probe} class="probe" />
          {layout !== undefined && <ChartDrawing series={series} layout={layout} />}
          {layout !== undefined && index !== undefined && (
            <Cursor series={series} layout={layout} index={index} />
          )}
        </svg>
      </div>
      <input
        type="range"
        aria-label={`Numbers by ${series.interval}`}
        aria-valuetext={inWords(series, index ?? last).join(', ')}
        max={last}
        value={index ?? last}
        onFocus={() => choose(index ?? last)}
        onBlur={() => choose(undefined)}
        onInput={event => choose(event.currentTarget.valueAsNumber)}
      />
      {layout !== undefined && index !== undefined && <Hint series={series} layout={layout} index={index} />}
    </div>
  )
}

interface BucketProps {
  series: ShownSeries
  layout: ChartLayout
  index: number
}

function Cursor({ series, layout, index }: BucketProps) {
  const { plot, x, y } = layout
  return (
    <>
      <line class="cursor" x1={x(index)} x2={x(index)} y1={plot.top} y2={plot.bottom} />
      <circle class="point" cx={x(index)} cy={y(series.values[index] ?? 0)} r="4.5" />
    </>
  )
}

/** Moved to the left by the part of its own width that lies left of it on the chart, a hint never sticks out. */
function Hint({ series, layout, index }: BucketProps) {
  const { x, y, width } = layout
  const part = `${(100 * x(index)) / width}%`
  const [visits, ...lines] = inWords(series, index)
  return (
    <div
      class="time-chart-hint"
      aria-hidden="true"
      style={{
        left: part,
        top: `${y(series.values[index] ?? 0)}px`,
        translate: `-${part} calc(-100% - 12px)`,
      }}
    >
      <strong>{visits}</strong>
      {lines.map(line => (
        <span key={line}>{line}</span>
      ))}
    </div>
  )
}

function inWords(
  { values, before, names, beforeNames, isRunning, metric }: ShownSeries,
  index: number,
): string[] {
  const earlier = before?.[index]
  return [
    visits(values[index] ?? 0, metric),
    `${names.long[index]}${isRunning && index === values.length - 1 ? ' (so far)' : ''}`,
    ...(earlier === undefined ? [] : [`before: ${number(earlier)}, ${beforeNames[index]}`]),
  ]
}

/** The chart's width, and that of texts as they are drawn; undefined until the chart is on the page. */
function useMeasured(probe: { current: SVGTextElement | null }): Measured | undefined {
  const [measured, setMeasured] = useState<Measured>()
  useLayoutEffect(() => {
    const text = probe.current
    const box = text?.ownerSVGElement
    if (!text || !box) return
    const measure = () => {
      const widths = new Map<string, number>()
      const textWidth = (content: string) => {
        const known = widths.get(content)
        if (known !== undefined) return known
        text.textContent = content
        const width = text.getComputedTextLength()
        text.textContent = ''
        widths.set(content, width)
        return width
      }
      const fontSize = Number.parseFloat(getComputedStyle(text).fontSize)
      setMeasured({ width: Math.max(1, box.clientWidth), fontSize, textWidth })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(box)
    return () => observer.disconnect()
  }, [])
  return measured
}
