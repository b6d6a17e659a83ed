import { number } from '../text/numbers.ts'

/** What the chart shows, as numbers. The newest comes first: it is what changes. */
export function SeriesTable(props: { values: number[]; names: string[]; bucket: string; caption: string }) {
  const rows = props.values.map((visits, i) => ({
    visits,
    name: props.names[i],
    isRunning: i === props.values.length - 1,
  }))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="series-table" tabIndex={0} aria-label="Visits as a table">
      <table>
        <caption class="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{props.bucket[0]?.toUpperCase() + props.bucket.slice(1)}</th>
            <th scope="col" class="number">
              Visits
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map(row => (
            <tr key={row.name}>
              <th scope="row">
                {row.name}
                {row.isRunning && <span class="muted"> so far</span>}
              </th>
              <td class="number">{number(row.visits)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
