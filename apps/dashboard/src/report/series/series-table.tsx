import { number } from '../../text/numbers.ts'
import { capitalized } from '../../text/value-names.ts'
import type { ShownSeries } from './shown-series.ts'

/** The chart's data as numbers, newest first, since that is what changes. */
export function SeriesTable({ series, bucket }: { series: ShownSeries; bucket: string }) {
  const { values, before, names, beforeNames, isRunning, metric } = series
  const rows = values.map((value, i) => ({
    value,
    name: names.long[i],
    before: before?.[i],
    beforeName: beforeNames[i],
    isRunning: isRunning && i === values.length - 1,
  }))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable content must be reachable by keyboard
    <section class="series-table" tabIndex={0} aria-label="Visits as a table">
      <table>
        <caption class="visually-hidden">{series.description}</caption>
        <thead>
          <tr>
            <th scope="col">{bucket}</th>
            <th scope="col" class="number">
              {metric === 'humans' ? 'Visits by humans' : 'Visits'}
            </th>
            {before !== undefined && (
              <th scope="col" class="number">
                {capitalized(series.than)}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map(row => (
            <tr key={row.name}>
              <th scope="row">
                {row.name}
                {row.isRunning && <span class="muted"> so far</span>}
              </th>
              <td class="number value">{number(row.value)}</td>
              {before !== undefined && (
                <td class="number muted" title={row.beforeName}>
                  {row.before === undefined ? '' : number(row.before)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
