import { periods } from '../../address.ts'
import { useNavigation } from '../../navigation.tsx'
import { Choice } from '../../page/choice.tsx'
import { timesBetween } from '../../text/times.ts'
import { customDays, customTimes, lastDay, periodNames, todayIn } from './period.ts'

/** The report's period; a custom one has two date fields. */
export function PeriodControls({ zone, now }: { zone: string; now: number }) {
  const { address, go } = useNavigation()
  const today = todayIn(zone, now)
  const { period } = address
  const times = customTimes(address)
  const { from, to } = customDays(address, today, zone)
  return (
    <div class="period">
      <Choice
        title="Period"
        name="period"
        options={periods.map(value => ({ value, label: periodNames[value].title }))}
        value={period}
        choose={chosen =>
          go({ period: chosen, interval: undefined, ...(chosen === 'custom' && { from, to }) })
        }
      />
      {period === 'custom' && (
        <div class="dates">
          <DateField
            label="From"
            value={from}
            max={to}
            choose={date => go({ from: date, to: lastDay(date, to) })}
          />
          <DateField label="to" value={to} max={today} choose={date => go({ from, to: date })} />
          {times !== undefined && (
            <>
              <span>{timesBetween(times.from, times.to, zone)}</span>
              <button type="button" class="quiet small" onClick={() => go({ from, to, interval: undefined })}>
                Whole days
              </button>
            </>
          )}
        </div>
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
