import type { ComponentChildren } from 'preact'
import { useNavigation } from '../navigation.tsx'
import { Choice } from '../page/controls/choice.tsx'
import { RefusalBanner, Status } from '../page/freshness.tsx'
import { number } from '../text/numbers.ts'
import { dateAndTime, daysBetween } from '../text/times.ts'
import { BreakdownTables } from './breakdowns/breakdown-tables.tsx'
import { Cards } from './cards.tsx'
import { ExportMenu } from './export-menu.tsx'
import { FilterChips } from './filters/filter-chips.tsx'
import { FilterProblem } from './filters/filter-problem.tsx'
import { PeriodControls } from './period/period-controls.tsx'
import { RangeLine } from './range-line.tsx'
import { RecentVisits } from './recent-visits.tsx'
import type { ReportData } from './report-data.ts'
import { OverTime } from './series/over-time.tsx'

/** The report on a link, or without a slug on all links together. */
export function Report(props: { slug: string | undefined; data: ReportData; topLinks?: ComponentChildren }) {
  const { slug, data } = props
  const { stats, refusal } = data
  const problem = stats.problem ?? data.days.problem
  return (
    <>
      <RefusalBanner problem={problem} />
      <Toolbar slug={slug} data={data} />
      <RangeLine
        stats={stats.response}
        isCompared={!data.filtered?.response || data.filtered.response.data.previous !== undefined}
        now={data.now}
      />
      <Printed data={data} />
      <FilterChips />
      {stats.response === undefined && problem === undefined && <Placeholder />}
      {stats.response !== undefined && (
        <>
          {refusal !== undefined && (
            <FilterProblem problem={refusal} requested={data.requested} now={data.now} />
          )}
          <div
            class={refusal === undefined ? undefined : 'dimmed'}
            aria-busy={data.isBehindFilters && refusal === undefined}
          >
            <div aria-busy={!stats.isCurrent && stats.problem === undefined}>
              <Cards data={data} />
              <OnlyBots data={data} />
              <Widened data={data} />
            </div>
            <OverTime data={data} />
            {props.topLinks}
            <BreakdownTables data={data} />
          </div>
          <RecentVisits slug={slug} data={data} />
        </>
      )}
    </>
  )
}

function Toolbar({ slug, data }: { slug: string | undefined; data: ReportData }) {
  const { address, go } = useNavigation()
  const audience = (address.everyone ?? data.isOnlyBots) ? 'everyone' : 'humans'
  return (
    <div class="toolbar">
      <PeriodControls {...data.requested} now={data.now} />
      <Status zone={data.requested.zone} />
      <div class="toolbar-end">
        <Choice
          title="Whose visits"
          name="audience"
          options={[
            { value: 'humans', label: 'Humans' },
            { value: 'everyone', label: 'With bots' },
          ]}
          value={audience}
          choose={chosen => go({ everyone: everyoneFor(chosen === 'everyone', data.isOnlyBots) })}
        />
        <ExportMenu slug={slug} requested={data.requested} filters={address.filters} />
      </div>
    </div>
  )
}

/** Undefined where that is shown without being chosen. */
function everyoneFor(isChosen: boolean, isOnlyBots: boolean): boolean | undefined {
  return isChosen === isOnlyBots ? undefined : isChosen
}

/** What else a reader of the paper needs to know of the period. */
function Printed({ data }: { data: ReportData }) {
  const { response } = data.stats
  if (response === undefined) return null
  const { zone } = response.about
  return (
    <p class="printed muted">
      Time zone {zone.replaceAll('_', ' ')}, printed {dateAndTime(new Date(data.now).toISOString(), zone)}
    </p>
  )
}

/** Says why bots are shown, or offers to show them: without this a first test with curl would seem not to be counted. */
function OnlyBots({ data }: { data: ReportData }) {
  const { address, go } = useNavigation()
  const range = data.filtered === undefined ? data.stats.response?.data.range : data.filtered.response?.data
  if (!data.isOnlyBots || range === undefined || address.everyone) return null
  const isOne = range.visits === 1
  return (
    <p class="banner hint">
      <span>
        {isOne ? 'The only visit' : `All ${number(range.visits)} visits`} of this time {isOne ? 'is' : 'are'}{' '}
        by programs: bots, link previews, or tools such as curl.
        {data.metric === 'visits' && ` Since no humans came, ${isOne ? 'it is' : 'they are'} shown.`}
      </span>
      {data.metric === 'humans' && (
        <button type="button" onClick={() => go({ everyone: undefined })}>
          Show them
        </button>
      )}
    </p>
  )
}

const widenedReasons = {
  retention: 'single visits, from which parts of days are counted, are no longer kept',
  too_many_visits: 'parts of days have too many visits to be counted',
  folded_quarters: 'older visits are kept by full hours only',
}

/** Why the report is about other days than the chosen ones. */
function Widened({ data }: { data: ReportData }) {
  const response = data.filtered === undefined ? data.days.response?.data : undefined
  if (response?.widened_because === undefined) return null
  const { from, to, widened_because: reason } = response
  return (
    <p class="banner hint">
      <span>
        Shown for whole UTC days, {daysBetween(from, to, 'UTC')}: {widenedReasons[reason]}.
      </span>
    </p>
  )
}

function Placeholder() {
  return (
    <div aria-busy="true">
      <p class="visually-hidden">Loading…</p>
      <div class="cards" aria-hidden="true">
        <div class="card figure placeholder" />
        <div class="card figure placeholder" />
        <div class="card figure placeholder" />
        <div class="card figure placeholder" />
      </div>
      <div class="card placeholder tall" aria-hidden="true" />
    </div>
  )
}
