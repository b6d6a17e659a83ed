import type { FilterName } from '../../address.ts'
import type { BreakdownReport, BreakdownValue, Metric } from '../../api/stats.ts'
import { useNavigation } from '../../navigation.tsx'
import { FoldHeading, useFold } from '../../page/controls/fold.tsx'
import { Count } from '../../page/count.tsx'
import { number, percent } from '../../text/numbers.ts'
import { filterTitles, valueName } from '../../text/value-names.ts'
import { Change } from '../series/change.tsx'

const shownAtFirst = 8

type Uncertain = NonNullable<NonNullable<BreakdownReport['uncertain']>['referrer']>

/** The visits by one dimension. A value is a button that filters by it. */
export function BreakdownTable(props: {
  dimension: FilterName
  values: BreakdownValue[]
  metric: Metric
  /** What the counts before are of. */
  than: string
  /** Undefined: all counts are exact. */
  uncertain?: Uncertain | undefined
}) {
  const { dimension, metric } = props
  const { address, go } = useNavigation()
  const isWhole = address.more === dimension
  const sorted = sortBy(props.values, metric)
  const rows = isWhole ? sorted : sumRest(sorted)
  const total = sorted.reduce((sum, value) => sum + value[metric], 0)
  const most = Math.max(1, ...rows.map(value => value[metric]))
  const isCompared = rows.some(value => value.previous !== undefined)
  const title = filterTitles[dimension]
  const id = `by-${dimension}`
  const fold = useFold(dimension, dimension === 'channel' && address.link !== undefined)
  const [first] = rows
  return (
    <section class={`card breakdown ${isWhole ? 'whole' : fold.class}`} aria-labelledby={id}>
      <table aria-labelledby={id}>
        <thead>
          <tr>
            <th scope="col">
              <FoldHeading id={id} fold={fold}>
                {title}
              </FoldHeading>
              {first !== undefined && (
                <span class="fold-gist muted">
                  <bdi>{valueName(dimension, first.value)}</bdi> {percent(first[metric], total)}
                </span>
              )}
            </th>
            <th scope="col" class="number">
              Visits
            </th>
            <th scope="col" class="number share">
              <span class="visually-hidden">Share</span>
            </th>
            {isCompared && (
              <th scope="col" class="number beside">
                <span class="visually-hidden">Change</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ value, previous, ...counts }) => (
            <tr key={value}>
              <th scope="row">
                <span class="bar" aria-hidden="true" style={{ width: `${(100 * counts[metric]) / most}%` }} />
                {value === '*' || (value === '' && dimension === 'channel') ? (
                  <span class="value muted">{valueName(dimension, value)}</span>
                ) : (
                  <button
                    type="button"
                    class="value"
                    title={`Only ${title.toLowerCase()}: ${valueName(dimension, value)}`}
                    aria-pressed={address.filters[dimension] === value}
                    onClick={() => go({ filters: toggled(address.filters, dimension, value) })}
                  >
                    <bdi>{valueName(dimension, value)}</bdi>
                  </button>
                )}
              </th>
              <td class="number">
                <Count value={counts[metric]} />
              </td>
              <td class="number share muted">{percent(counts[metric], total)}</td>
              {isCompared && (
                <td class="number beside">
                  {previous && <Change now={counts[metric]} before={previous[metric]} than={props.than} />}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {props.uncertain !== undefined && <p class="muted footnote">{inWords(props.uncertain)}</p>}
      {rows.length === 0 && <p class="muted none">nothing yet</p>}
      {(isWhole || sorted.length > shownAtFirst + 1) && (
        <button
          type="button"
          class="quiet small"
          aria-expanded={isWhole}
          onClick={() => go({ more: isWhole ? undefined : dimension }, { replace: true })}
        >
          {isWhole ? 'Show fewer' : 'Show all'}
          <span class="visually-hidden">: {title.toLowerCase()}</span>
        </button>
      )}
    </section>
  )
}

function inWords({ missing_at_most: missing, unnamed_at_most: unnamed }: Uncertain): string {
  const listed = missing > 0 ? `Each may be up to ${number(missing)} higher. ` : ''
  return `${listed}A value that is not listed may have up to ${number(unnamed)} visits: not every rare one is kept.`
}

/** The API sorts by all visits, so this sorts again; “All others” stays last. */
function sortBy(values: BreakdownValue[], metric: Metric): BreakdownValue[] {
  const last = (value: BreakdownValue) => Number(value.value === '*')
  return values
    .filter(value => value[metric] > 0)
    .sort((a, b) => last(a) - last(b) || b[metric] - a[metric] || b.visits - a.visits)
}

/** The first values, and the sum of the rest. */
function sumRest(values: BreakdownValue[]): BreakdownValue[] {
  if (values.length <= shownAtFirst + 1) return values
  const others = { value: '*', visits: 0, humans: 0 }
  for (const { visits, humans } of values.slice(shownAtFirst)) {
    others.visits += visits
    others.humans += humans
  }
  return [...values.slice(0, shownAtFirst), others]
}

function toggled<T extends object>(filters: T, name: keyof T & string, value: string): T {
  const { [name]: present, ...others } = filters
  return (present === value ? others : { ...filters, [name]: value }) as T
}
