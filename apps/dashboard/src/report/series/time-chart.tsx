import { useMemo, useRef, useState } from 'preact/hooks'
import { useNavigation } from '../../navigation.tsx'
import { ChartDrawing, Cursor, Point } from './chart-drawing.tsx'
import { bucketsInWords, ChartHint } from './chart-hint.tsx'
import { chartHeight, layOutChart } from './chart-layout.ts'
import type { ShownSeries } from './shown-series.ts'
import { useMeasured } from './use-measured.ts'
import { zoomTo } from './zoom.ts'

interface TimeChartProps {
  series: ShownSeries
  /** The text alternative. */
  describedBy: string
}

/** The buckets that the hint describes: one, or all from an anchor on. */
interface Chosen {
  index: number
  anchor: number
  by: 'mouse' | 'touch' | 'keyboard'
}

/**
 * A series as lines. The mouse, a tap and arrow keys show the numbers of a bucket; a click or Enter opens it by a finer
 * interval. Dragging, or arrow keys with Shift, select several. What a finger has chosen is opened by a button, since a tap is
 * its only way to read a number.
 */
export function TimeChart({ series, describedBy }: TimeChartProps) {
  const { address, go } = useNavigation()
  const probe = useRef<SVGTextElement>(null)
  const measured = useMeasured(probe)
  const input = useRef<HTMLInputElement>(null)
  const pressedAt = useRef<number>(undefined)
  const isShift = useRef(false)
  const [chosen, choose] = useState<Chosen>()
  const layout = useMemo(() => measured && layOutChart(series, measured), [series, measured])
  // Stays as it is while the pointer moves.
  const drawing = useMemo(() => layout && <ChartDrawing series={series} layout={layout} />, [series, layout])

  const last = series.values.length - 1
  const index = Math.min(chosen?.index ?? last, last)
  const anchor = Math.min(chosen?.anchor ?? index, last)
  const buckets = { index, first: Math.min(anchor, index), last: Math.max(anchor, index) }
  const target = zoomTo(address, series, buckets, Date.now())
  const open = () => {
    if (target !== undefined) {
      choose(undefined)
      go(target)
    }
  }
  const chooseAt = ({ clientX, currentTarget, pointerType }: PointerEvent) => {
    if (layout === undefined || !(currentTarget instanceof Element)) return
    const at = layout.bucketAt(clientX - currentTarget.getBoundingClientRect().left)
    choose({ index: at, anchor: pressedAt.current ?? at, by: pointerType === 'mouse' ? 'mouse' : 'touch' })
    return at
  }
  return (
    <div class={`time-chart${chosen?.by === 'touch' ? ' touched' : ''}`}>
      <div
        class="time-chart-plot"
        onPointerDown={event => {
          if (event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          pressedAt.current = undefined
          pressedAt.current = chooseAt(event)
          // A tap elsewhere takes the focus away, and the hint with it.
          if (event.pointerType !== 'mouse') input.current?.focus({ preventScroll: true })
        }}
        onPointerMove={event => {
          if (event.pointerType === 'mouse' || pressedAt.current !== undefined) chooseAt(event)
        }}
        onPointerUp={event => {
          if (event.pointerType === 'mouse' && pressedAt.current !== undefined) open()
          pressedAt.current = undefined
        }}
        // The click that follows a tap would press the hint's button, which has come up under the finger.
        onTouchEnd={event => event.cancelable && event.preventDefault()}
        onPointerLeave={event => event.pointerType === 'mouse' && choose(undefined)}
        onPointerCancel={() => {
          pressedAt.current = undefined
          choose(undefined)
        }}
      >
        <div role="img" aria-labelledby={describedBy}>
          <svg aria-hidden="true" viewBox={`0 0 ${measured?.width ?? 1} ${chartHeight}`}>
            <text ref={probe} class="probe" />
            {layout && chosen && <Cursor layout={layout} {...buckets} />}
            {drawing}
            {layout && chosen && <Point series={series} layout={layout} index={index} />}
          </svg>
        </div>
        <input
          ref={input}
          type="range"
          aria-label={`Visits by ${series.interval}`}
          aria-valuetext={bucketsInWords(series, buckets).join(', ')}
          max={last}
          value={index}
          onFocus={() => choose(current => current ?? { index: last, anchor: last, by: 'keyboard' })}
          onBlur={() => choose(undefined)}
          onKeyDown={event => {
            isShift.current = event.shiftKey
            if (event.key === 'Enter') open()
            if (event.key === 'Escape') choose(undefined)
          }}
          onInput={({ currentTarget: { valueAsNumber: at } }) =>
            choose({ index: at, anchor: isShift.current ? anchor : at, by: 'keyboard' })
          }
        />
      </div>
      {layout && chosen && (
        <ChartHint
          series={series}
          layout={layout}
          buckets={buckets}
          action={
            target && {
              by: chosen.by,
              interval: target.interval,
              isRange: buckets.first < buckets.last,
              open,
            }
          }
        />
      )}
    </div>
  )
}
