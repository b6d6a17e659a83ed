/** Where everything of a chart is drawn, in pixels. Labels are measured, since fonts and languages differ. */
import type { Interval } from '../../address.ts'
import { shortNumber } from '../../text/numbers.ts'
import type { ShownSeries } from './shown-series.ts'

export interface ChartLayout {
  width: number
  height: number
  /** The area of the lines, right of the labels of the rows and above those of the buckets. */
  plot: { left: number; right: number; top: number; bottom: number }
  x: (index: number) => number
  y: (value: number) => number
  /** The bucket at a distance from the left edge. */
  bucketAt: (x: number) => number
  rows: { value: number; text: string }[]
  /** The buckets that have a label, which is centered unless it would stick out. */
  labels: { index: number; x: number; text: string }[]
}

export interface Measured {
  width: number
  fontSize: number
  textWidth: (text: string) => number
}

export const chartHeight = 260
const rowsWanted = 5
const gap = 12

/** Buckets are equidistant, whatever the length of a month or of an hour with a clock change. */
export function layOutChart(series: ShownSeries, measured: Measured): ChartLayout {
  const { width, fontSize, textWidth } = measured
  const most = Math.max(4, ...series.values, ...(series.before ?? []).map(value => value ?? 0))
  const step = roundStep(most / rowsWanted)
  const highest = Math.ceil(most / step) * step
  const rows = Array.from({ length: highest / step + 1 }, (_, i) => ({
    value: i * step,
    text: shortNumber(i * step),
  }))
  const left = Math.max(...rows.map(row => textWidth(row.text))) + gap
  const plot = { left, right: width - 8, top: fontSize, bottom: chartHeight - 2 * fontSize }
  const count = series.values.length
  const slot = (plot.right - plot.left) / Math.max(1, count)
  const x = (index: number) => plot.left + (index + 0.5) * slot
  return {
    width,
    height: chartHeight,
    plot,
    x,
    y: value => plot.bottom - (value / highest) * (plot.bottom - plot.top),
    bucketAt: at => Math.max(0, Math.min(count - 1, Math.floor((at - plot.left) / slot))),
    rows,
    labels: labelsThatFit(series, x, measured),
  }
}

/** 1, 2 or 5 times a power of ten; visits are whole. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return Math.max(1, ([1, 2, 5].find(times => times * power >= least) ?? 10) * power)
}

/** As many labels as fit side by side. */
function labelsThatFit(
  series: ShownSeries,
  x: (index: number) => number,
  { width, textWidth }: Measured,
): ChartLayout['labels'] {
  const label = (index: number) => {
    const text = series.names.short[index] ?? ''
    const half = textWidth(text) / 2
    return { index, text, half, x: Math.max(half, Math.min(width - half, x(index))) }
  }
  for (const indexes of selections(series)) {
    // Measuring is slow, and these are too many at any font size.
    if (indexes.length === 0 || indexes.length * gap > width) continue
    const labels = indexes.map(label)
    const fit = labels.every((one, i) => {
      const next = labels[i + 1]
      return next === undefined || one.x + one.half + gap <= next.x - next.half
    })
    if (fit) return labels
  }
  return [label(series.values.length - 1)]
}

const strides: Record<Exclude<Interval, 'minute' | 'hour'>, number[]> = {
  day: [1, 2, 7, 14, 28, 56, 112],
  week: [1, 2, 4, 8, 13, 26],
  month: [1, 2, 3, 6, 12, 24],
}

const minuteSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440]

/** Sets of buckets to label, the largest first: round times of the day and midnights, or counted back from the last bucket. */
function* selections({ values, interval, names: { minutes } }: ShownSeries): Generator<number[]> {
  const all = [...values.keys()]
  if (interval !== 'minute' && interval !== 'hour') {
    for (const stride of strides[interval]) yield everyNth(all, stride)
    return
  }
  for (const step of minuteSteps) yield all.filter(i => (minutes[i] ?? 0) % step === 0)
  const midnights = all.filter(i => minutes[i] === 0)
  for (let days = 2; days < midnights.length; days++) yield everyNth(midnights, days)
}

/** The last one always. */
function everyNth(indexes: number[], n: number): number[] {
  return indexes.filter((_, i) => (indexes.length - 1 - i) % n === 0)
}
