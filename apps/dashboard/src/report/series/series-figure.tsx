import { SeriesTable } from './series-table.tsx'
import type { ShownSeries } from './shown-series.ts'
import { TimeChart } from './time-chart.tsx'

const descriptionId = 'series-description'

/** A series as a chart or table, and in words: the chart's text alternative and caption. */
export function SeriesFigure(props: { series: ShownSeries; bucket: string; asTable: boolean }) {
  const { series, bucket, asTable } = props
  return (
    <figure>
      {asTable ? (
        <SeriesTable series={series} bucket={bucket} />
      ) : (
        <>
          {series.before !== undefined && <Legend series={series} />}
          <TimeChart series={series} describedBy={descriptionId} />
        </>
      )}
      <figcaption id={descriptionId}>{series.description}</figcaption>
    </figure>
  )
}

function Legend({ series: { metric, than } }: { series: ShownSeries }) {
  return (
    <p class="legend" aria-hidden="true">
      <span class="key-now">{metric === 'humans' ? 'Visits by humans' : 'All visits'}</span>
      <span class="key-before">{than}</span>
    </p>
  )
}
