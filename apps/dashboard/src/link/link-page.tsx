import { useState } from 'preact/hooks'
import { browserZone, periods } from '../address.ts'
import { usePolled } from '../api/poll.ts'
import type { LinkStats } from '../api/stats.ts'
import { linkStatsUrl } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { Choice } from '../page/choice.tsx'
import { CopyButton } from '../page/copy-button.tsx'
import { ForeignLink } from '../page/foreign-link.tsx'
import { Freshness, LagBanner, ProblemBanner } from '../page/freshness.tsx'
import { ArrowIcon } from '../page/icons.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { QrCode } from '../page/qr-code.tsx'
import { useNow } from '../text/now.ts'
import { bucketNames } from '../text/times.ts'
import { describeSeries } from './describe-series.ts'
import { periodNames, seriesOf } from './period.ts'
import { RecentVisits } from './recent-visits.tsx'
import { SeriesTable } from './series-table.tsx'
import { TimeChart } from './time-chart.tsx'
import { Totals } from './totals.tsx'
import { ZoneSelect } from './zone-select.tsx'

/** Everything about one link. Made anew for another slug: nothing of one link is ever shown as another's. */
export function LinkPage({ slug }: { slug: string }) {
  const { address, go } = useNavigation()
  const now = useNow()
  const zone = address.zone ?? browserZone()
  const asked = { period: address.period, zone }
  const polled = usePolled<LinkStats>(linkStatsUrl(slug, seriesOf(asked.period, zone, now), zone))
  // Until another period is there, the one before stays, under its own name.
  const [answered, setAnswered] = useState(asked)
  if (polled.isCurrent && (answered.period !== asked.period || answered.zone !== asked.zone))
    setAnswered(asked)
  const { period } = polled.isCurrent ? asked : answered
  const shownZone = polled.isCurrent ? zone : answered.zone
  const stats = polled.data

  return (
    <>
      <PageLink to={{ link: undefined }} class="back">
        <ArrowIcon /> All links
      </PageLink>
      <PageTitle>/{slug}</PageTitle>
      {polled.problem?.status === 404 ? (
        <p class="lead">There is no link with this name.</p>
      ) : (
        <>
          <ProblemBanner problem={polled.problem} />
          <LagBanner lagMs={polled.lagMs} />
        </>
      )}
      {stats === undefined && polled.problem === undefined && <p class="muted">Loading…</p>}
      {stats !== undefined && (
        <div aria-busy={!polled.isCurrent}>
          <LinkHead slug={slug} longUrl={stats.long_url} />
          <Totals
            stats={stats}
            period={period}
            zone={shownZone}
            now={now}
            pending={polled.pending}
            lagMs={polled.lagMs}
          />
          <section class="card" aria-labelledby="over-time">
            <div class="card-head">
              <h2 id="over-time">Over time</h2>
              <Choice
                title="Period"
                name="period"
                options={periods.map(value => ({ value, label: periodNames[value].title }))}
                value={address.period}
                choose={value => go({ period: value })}
              />
            </div>
            <Series stats={stats} period={period} zone={shownZone} asTable={address.asTable} />
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
          <section class="card" aria-labelledby="recent">
            <div class="card-head">
              <h2 id="recent">Recent visits</h2>
              <Freshness pending={polled.pending} />
            </div>
            <RecentVisits recent={stats.recent} zone={shownZone} now={now} />
          </section>
        </div>
      )}
    </>
  )
}

function LinkHead({ slug, longUrl }: { slug: string; longUrl: string }) {
  const [withCode, setWithCode] = useState(false)
  const shortUrl = `${location.origin}/${slug}`
  return (
    <div class="link-head">
      <p class="long-url">
        <span class="muted">leads to</span> <ForeignLink url={longUrl} />
      </p>
      <div class="actions">
        <CopyButton text={shortUrl} label="Copy short link" />
        <button type="button" aria-expanded={withCode} onClick={() => setWithCode(!withCode)}>
          QR code
        </button>
      </div>
      {withCode && <QrCode text={shortUrl} name={slug} />}
    </div>
  )
}

function Series(props: { stats: LinkStats; period: LinkPeriod; zone: string; asTable: boolean }) {
  const { stats, period, zone, asTable } = props
  const starts = stats.series.map(bucket => bucket.start)
  const values = stats.series.map(bucket => bucket.visits)
  const names = bucketNames(starts, period, zone)
  const description = describeSeries(stats.series, period, zone)
  return (
    <figure>
      {asTable ? (
        <SeriesTable
          values={values}
          names={names.long}
          bucket={periodNames[period].bucket}
          caption={description}
        />
      ) : (
        <TimeChart values={values} names={names} describedBy="series-description" />
      )}
      <figcaption id="series-description">{description}</figcaption>
    </figure>
  )
}

type LinkPeriod = (typeof periods)[number]
