import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useTheme } from '../../page/theme.ts'
import { number, shortNumber, visits } from '../../text/numbers.ts'
import type { ShownSeries } from './shown-series.ts'

interface TimeChartProps {
  series: ShownSeries
  /** The text alternative. */
  describedBy: string
}

interface Hovered {
  index: number
  left: number
  top: number
}

const heightPx = 260
const labelWidthPx = 64

/** The chart on a canvas. Buckets are equidistant, whatever the length of a month or of an hour with a clock change. */
export function TimeChart({ series, describedBy }: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const shown = useRef(series)
  shown.current = series
  const [hovered, setHovered] = useState<Hovered>()
  const { dark } = useTheme()

  // The colors are read again when the theme changes.
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const plot = drawChart(element, () => shown.current, setHovered)
    chart.current = plot
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPx }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
      chart.current = undefined
      setHovered(undefined)
    }
  }, [dark])

  const { values, before, names, isRunning } = series
  const drawn = JSON.stringify([values, before, names.short, isRunning])
  // Compares the content, since the arrays are new on every render.
  useEffect(() => chart.current?.setData(chartData(series)), [drawn])

  return (
    <div class="time-chart">
      <div ref={box} role="img" aria-labelledby={describedBy} class="time-chart-canvas" />
      {hovered !== undefined && <Hint series={series} hovered={hovered} />}
    </div>
  )
}

function Hint({ series, hovered }: { series: ShownSeries; hovered: Hovered }) {
  const { values, before, names, beforeNames, isRunning, metric } = series
  const { index, left, top } = hovered
  return (
    <div
      class="time-chart-hint"
      aria-hidden="true"
      style={{ left: `clamp(6rem, ${left}px, 100% - 6rem)`, top: `${top}px` }}
    >
      <strong>{visits(values[index] ?? 0, metric)}</strong>
      <span>
        {names.long[index]}
        {isRunning && index === values.length - 1 && ' (so far)'}
      </span>
      {before?.[index] !== undefined && (
        <span>
          before: {number(before[index])}, {beforeNames[index]}
        </span>
      )}
    </div>
  )
}

function drawChart(
  element: HTMLElement,
  shown: () => ShownSeries,
  setHovered: (hovered: Hovered | undefined) => void,
): uPlot {
  const style = getComputedStyle(element)
  const color = (name: string) => style.getPropertyValue(name)
  const font = `12px ${style.fontFamily}`
  const [line, fill, grid, text, before] = [
    '--chart-line',
    '--chart-fill',
    '--chart-grid',
    '--chart-text',
    '--chart-before',
  ].map(color)
  const series: uPlot.Series = {
    stroke: line ?? '',
    fill: fill ?? '',
    width: 2,
    points: { show: false },
  }
  const axis: uPlot.Axis = { stroke: text ?? '', font, ticks: { show: false } }
  return new uPlot(
    {
      width: element.clientWidth,
      height: heightPx,
      padding: [12, 28, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false },
        points: { size: 9, width: 2, stroke: line ?? '', fill: color('--surface') },
      },
      scales: {
        x: { time: false, range: (_plot, min, max) => [min - 0.2, max + 0.2] },
        y: { range: (_plot, _min, max) => [0, max < 4 ? 4 : (uPlot.rangeNum(0, max, 0.1, true)[1] ?? max)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 34,
          splits: plot => labelledBuckets(shown().values.length, plot.bbox.width / devicePixelRatio),
          values: (_plot, splits) => splits.map(index => shown().names.short[index] ?? ''),
        },
        {
          ...axis,
          grid: { stroke: grid ?? '', width: 1 },
          incrs: [1, 2, 5]
            .flatMap(step => Array.from({ length: 12 }, (_, power) => step * 10 ** power))
            .sort((a, b) => a - b),
          values: (_plot, splits) => splits.map(shortNumber),
          size: (_plot, labels) => 22 + 7 * Math.max(1, ...(labels ?? []).map(label => label.length)),
        },
      ],
      series: [
        {},
        { stroke: before ?? '', width: 1.5, points: { show: false } },
        series,
        {
          ...series,
          dash: [2, 5],
          points: { show: true, filter: lastPoint, size: 7, fill: color('--surface') },
        },
      ],
      hooks: {
        setCursor: [
          plot => {
            const { idx, left } = plot.cursor
            if (idx === null || idx === undefined || left === undefined || left < 0)
              return setHovered(undefined)
            const value = shown().values[idx] ?? 0
            setHovered({
              index: idx,
              left: plot.over.offsetLeft + plot.valToPos(idx, 'x'),
              top: plot.over.offsetTop + plot.valToPos(value, 'y'),
            })
          },
        ],
      },
    },
    chartData(shown()),
    element,
  )
}

/** The preceding period is in the background. Complete buckets form a solid line; a dotted one leads on to the current bucket. */
function chartData({ values, before, isRunning }: ShownSeries): uPlot.AlignedData {
  const running = isRunning ? values.length - 1 : values.length
  return [
    values.map((_, i) => i),
    values.map((_, i) => before?.[i] ?? null),
    values.map((value, i) => (i < running ? value : null)),
    values.map((value, i) => (isRunning && i >= running - 1 ? value : null)),
  ]
}

function lastPoint(plot: uPlot): number[] {
  return [plot.data[0].length - 1]
}

/** As many labels as fit, counted back from the current bucket, which always has one. */
function labelledBuckets(count: number, widthPx: number): number[] {
  const step = Math.max(1, Math.ceil((count * labelWidthPx) / Math.max(1, widthPx)))
  const indexes: number[] = []
  for (let i = count - 1; i >= 0; i -= step) indexes.unshift(i)
  return indexes
}
