import { writeAddress } from '../../address.ts'
import { useNavigation } from '../../navigation.tsx'
import { useAnnouncement } from '../../page/announcer.tsx'
import { intervalNames } from '../period/period.ts'
import { ZoneSelect } from '../period/zone-select.tsx'
import type { ReportData, Requested } from '../report-data.ts'
import { SeriesFigure } from './series-figure.tsx'
import type { ShownSeries } from './shown-series.ts'
import { showSeries } from './shown-series.ts'

export function OverTime({ data }: { data: ReportData }) {
  const { address, go } = useNavigation()
  const { requested } = data
  const polled = data.filtered ?? data.stats
  const shown = shownSeries(data)
  useAnnouncement(
    writeAddress({ ...address, compare: 'previous', asTable: false, more: undefined, before: undefined }),
    polled.isCurrent && !data.isBehindFilters ? shown?.series.description.replace(/\. .*/, '.') : undefined,
  )
  return (
    <section
      class="card"
      aria-labelledby="over-time"
      aria-busy={!polled.isCurrent && polled.problem === undefined}
    >
      <div class="card-head">
        <h2 id="over-time">Over time</h2>
        <div class="chart-controls">
          <IntervalSelect requested={requested} choose={interval => go({ interval })} />
        </div>
      </div>
      {shown === undefined ? (
        <div class="placeholder tall" />
      ) : (
        <SeriesFigure
          series={shown.series}
          bucket={intervalNames[shown.requested.range.interval].title.replace(/s$/, '')}
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
function shownSeries(data: ReportData): { series: ShownSeries; requested: Requested } | undefined {
  const { filtered, metric, now } = data
  if (filtered !== undefined) {
    if (filtered.response === undefined) return undefined
    const { data: range, about: requested } = filtered.response
    return { requested, series: showSeries(range, range.previous, { requested, metric, now }) }
  }
  if (data.stats.response === undefined) return undefined
  const { data: stats, about: requested } = data.stats.response
  const { range, series, previous } = stats
  return { requested, series: showSeries({ ...range, series }, previous, { requested, metric, now }) }
}

function IntervalSelect(props: {
  requested: Requested
  choose: (interval: Requested['range']['interval']) => void
}) {
  const { interval, intervals } = props.requested.range
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
