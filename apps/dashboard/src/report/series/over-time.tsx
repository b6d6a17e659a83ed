import { useNavigation } from '../../navigation.tsx'
import { intervalNames } from '../period/period.ts'
import { ZoneSelect } from '../period/zone-select.tsx'
import type { Asked, ReportData } from '../report-data.ts'
import { SeriesFigure } from './series-figure.tsx'
import type { ShownSeries } from './shown-series.ts'
import { showSeries } from './shown-series.ts'

export function OverTime({ data }: { data: ReportData }) {
  const { address, go } = useNavigation()
  const { asked } = data
  const polled = data.filtered ?? data.stats
  const shown = shownSeries(data, address.compare)
  return (
    <section
      class="card"
      aria-labelledby="over-time"
      aria-busy={!polled.isCurrent && polled.problem === undefined}
    >
      <div class="card-head">
        <h2 id="over-time">Over time</h2>
        <div class="chart-controls">
          <label class="check">
            <input
              type="checkbox"
              checked={address.compare}
              disabled={!asked.range.canCompare}
              onChange={event => go({ compare: event.currentTarget.checked }, { replace: true })}
            />
            Compare
          </label>
          <IntervalSelect asked={asked} choose={interval => go({ interval })} />
        </div>
      </div>
      {shown === undefined ? (
        <div class="placeholder tall" />
      ) : (
        <SeriesFigure
          series={shown.series}
          bucket={intervalNames[shown.asked.range.interval].title.replace(/s$/, '')}
          asTable={address.asTable}
        />
      )}
      <div class="card-foot">
        <ZoneSelect zone={address.zone} choose={chosen => go({ zone: chosen })} />
        <button
          type="button"
          class="quiet"
          onClick={() => go({ asTable: !address.asTable }, { replace: true })}
        >
          {address.asTable ? 'Show as chart' : 'Show as table'}
        </button>
      </div>
    </section>
  )
}

/** Labelled by the request that the data belongs to, which may be the previous one. */
function shownSeries(data: ReportData, compare: boolean): { series: ShownSeries; asked: Asked } | undefined {
  const { filtered, filteredBefore, metric, now } = data
  if (filtered !== undefined) {
    if (filtered.answer === undefined) return undefined
    const { data: range, about: asked } = filtered.answer
    const before = compare && filteredBefore.isCurrent ? filteredBefore.answer?.data.series : undefined
    return { asked, series: showSeries(range, before, undefined, { asked, metric, now }) }
  }
  if (data.stats.answer === undefined) return undefined
  const { data: stats, about: asked } = data.stats.answer
  const previous = compare ? stats.previous : undefined
  return {
    asked,
    series: showSeries({ ...stats.range, series: stats.series }, previous?.series, previous?.so_far, {
      asked,
      metric,
      now,
    }),
  }
}

function IntervalSelect(props: { asked: Asked; choose: (interval: Asked['range']['interval']) => void }) {
  const { interval, intervals } = props.asked.range
  return (
    <label class="interval">
      <span class="visually-hidden">Interval</span>
      <select
        value={interval}
        disabled={intervals.length < 2}
        onChange={event => {
          const chosen = intervals.find(known => known === event.currentTarget.value)
          if (chosen !== undefined) props.choose(chosen)
        }}
      >
        {intervals.map(value => (
          <option key={value} value={value}>
            {intervalNames[value].title}
          </option>
        ))}
      </select>
    </label>
  )
}
