import type { ComponentChildren } from 'preact'
import { Fragment } from 'preact'
import type { Address, Comparison, Period } from '../../address.ts'
import { useNavigation } from '../../navigation.tsx'
import { timesBetween } from '../../text/times.ts'
import { capitalized } from '../../text/value-names.ts'
import { comparisonName } from './comparison.ts'
import { customDays, customTimes, lastDay, periodNames, todayIn } from './period.ts'
import type { RequestedRange } from './requested-range.ts'

const groups: Period[][] = [
  ['today', 'yesterday', 'hour', 'day'],
  ['week', 'month', 'year'],
  ['this-month', 'last-month', 'year-to-date', 'all'],
]

/** The report's period, and what it is compared with. A custom period has two date fields. */
export function PeriodControls({ range, zone, now }: { range: RequestedRange; zone: string; now: number }) {
  const { address, go } = useNavigation()
  const { from, to } = customDays(address, todayIn(zone, now), zone)
  return (
    <div class="period">
      <Select
        id="period"
        label="Period"
        value={address.period}
        choose={(period: Period) =>
          go({ period, interval: undefined, ...(period === 'custom' && shownDays(range, zone, now)) })
        }
      >
        {groups.map((periods, i) => (
          <Fragment key={periods[0]}>
            {i > 0 && <hr />}
            {periods.map(value => (
              <option key={value} value={value}>
                {capitalized(periodNames[value].span)}
              </option>
            ))}
          </Fragment>
        ))}
        <hr />
        <option value="custom">Dates…</option>
      </Select>
      {address.period === 'custom' && <Dates address={address} from={from} to={to} zone={zone} now={now} />}
      <Select
        id="compare"
        label="Compare with"
        value={range.compare ?? 'off'}
        choose={(compare: Comparison | 'off') => go({ compare }, { replace: true })}
      >
        {range.comparisons.map(value => (
          <option key={value} value={value}>
            {comparisonName(range, value)}
          </option>
        ))}
        <option value="off">nothing</option>
      </Select>
    </div>
  )
}

/** Dates begin with those of the period shown. */
function shownDays({ from, to }: RequestedRange, zone: string, now: number): { from: string; to: string } {
  const dayOf = (limit: string) => (limit.includes('T') ? todayIn(zone, Date.parse(limit)) : limit)
  const end = to === undefined ? now : Date.parse(to) - 1
  return { from: dayOf(from), to: to === undefined ? todayIn(zone, end) : todayIn('UTC', end) }
}

function Select<T extends string>(props: {
  id: string
  label: string
  value: T
  choose: (value: T) => void
  children: ComponentChildren
}) {
  return (
    <div class="labelled">
      <label for={props.id} class="muted">
        {props.label}
      </label>
      <select
        id={props.id}
        value={props.value}
        onChange={event => props.choose(event.currentTarget.value as T)}
      >
        {props.children}
      </select>
    </div>
  )
}

function Dates(props: { address: Address; from: string; to: string; zone: string; now: number }) {
  const { address, from, to, zone, now } = props
  const { go } = useNavigation()
  const times = customTimes(address)
  return (
    <div class="dates">
      <DateField
        label="From"
        value={from}
        max={to}
        choose={date => go({ from: date, to: lastDay(date, to) })}
      />
      <DateField label="to" value={to} max={todayIn(zone, now)} choose={date => go({ from, to: date })} />
      {times !== undefined && (
        <>
          <span>{timesBetween(times.from, times.to, zone)}</span>
          <button type="button" class="quiet small" onClick={() => go({ from, to, interval: undefined })}>
            Whole days
          </button>
        </>
      )}
    </div>
  )
}

function DateField(props: { label: string; value: string; max: string; choose: (date: string) => void }) {
  return (
    <label>
      <span class="muted">{props.label}</span>
      <input
        type="date"
        value={props.value}
        min="1970-01-02"
        max={props.max}
        // While a date is being typed, its year may begin with 0.
        onChange={event => {
          const { value } = event.currentTarget
          if (value >= '1970-01-02') props.choose(value)
        }}
      />
    </label>
  )
}
