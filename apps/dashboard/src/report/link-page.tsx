import { useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import { browserZone } from '../address.ts'
import type { Link } from '../api/links.ts'
import { linkPath } from '../api/links.ts'
import type { Polled } from '../api/poll.ts'
import { usePolled } from '../api/poll.ts'
import type { LinkStats } from '../api/stats.ts'
import { fillNextForm } from '../links/link-form.tsx'
import { LinkMenu } from '../manage/link-menu.tsx'
import { StateMark } from '../manage/link-state.tsx'
import { PageLink, useNavigation } from '../navigation.tsx'
import { CopyButton } from '../page/controls/copy-button.tsx'
import { ArrowIcon } from '../page/controls/icons.tsx'
import { FoldedLink, ForeignLink } from '../page/foreign-link.tsx'
import { RefusalBanner } from '../page/freshness.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { QrDialog } from '../qr/qr-dialog.tsx'
import { useNow } from '../text/now.ts'
import { counted } from '../text/numbers.ts'
import { dateAndTime, dayName } from '../text/times.ts'
import { Report } from './report.tsx'
import { useReportData } from './report-data.ts'

const linkEveryMs = 60_000

/** Everything about one link. Recreated for another slug, so that one link's data is never shown as another's. */
export function LinkPage({ slug }: { slug: string }) {
  const { allows } = useSession()
  const link = usePolled<Link>(allows('links:read') ? { url: linkPath(slug), about: undefined } : undefined, {
    everyMs: linkEveryMs,
    lead: !allows('stats:read'),
  })
  return (
    <>
      <PageLink to={{ link: undefined, view: 'links' }} class="back">
        <ArrowIcon /> All links
      </PageLink>
      <PageTitle>/{slug}</PageTitle>
      {allows('stats:read') ? <LinkReport slug={slug} link={link} /> : <LinkAlone slug={slug} link={link} />}
    </>
  )
}

/** Its settings, for those who may not see statistics. */
function LinkAlone({ slug, link }: { slug: string; link: Polled<Link> }) {
  const now = useNow()
  if (link.problem?.status === 404) return <NoLink slug={slug} />
  return (
    <>
      <RefusalBanner problem={link.problem} />
      <LinkHead slug={slug} link={link.response?.data} stats={undefined} zone={browserZone()} now={now} />
    </>
  )
}

function LinkReport({ slug, link }: { slug: string; link: Polled<Link> }) {
  const data = useReportData(slug)
  const { allows } = useSession()
  const { response, problem } = data.stats
  if (problem?.status === 404) return <NoLink slug={slug} />
  // Its height depends on the link: what is below must not move when the link is read.
  if (allows('links:read') && link.response === undefined && link.problem === undefined)
    return <p class="visually-hidden">Loading…</p>
  return (
    <>
      <LinkHead
        slug={slug}
        link={link.response?.data}
        stats={response?.data as LinkStats | undefined}
        zone={data.requested.zone}
        now={data.now}
      />
      <Report slug={slug} data={data} />
    </>
  )
}

function NoLink({ slug }: { slug: string }) {
  const { allows } = useSession()
  const { go } = useNavigation()
  function create(): void {
    fillNextForm({ slug })
    go({ link: undefined, view: 'links' })
  }
  return (
    <>
      <p class="lead">There is no link with this name.</p>
      {allows('links:write') && (
        <button type="button" onClick={create}>
          Create the link /{slug}
        </button>
      )}
    </>
  )
}

/** @param link undefined until it is read, or where the user may only see statistics */
function LinkHead(props: {
  slug: string
  link: Link | undefined
  stats: LinkStats | undefined
  zone: string
  now: number
}) {
  const { slug, link, stats, zone, now } = props
  const [withCode, setWithCode] = useState(false)
  const either = link ?? stats
  if (either === undefined) return null
  const shortUrl = either.short_url
  return (
    <div class="link-head">
      <div class="long-url">
        <p class="report-url">
          <ForeignLink url={shortUrl} />
        </p>
        {link?.title && (
          <p class="link-title">
            <bdi>{link.title}</bdi>
          </p>
        )}
        <p>
          {link !== undefined && <StateMark state={link.state} />} <span class="muted">leads to</span>{' '}
          <FoldedLink url={either.long_url} />
        </p>
        {link !== undefined && <LinkSettings link={link} zone={zone} />}
        <p class="muted small-text">
          created {dayName(either.created_at, zone)}
          {link?.created_by && (
            <>
              {' '}
              by <bdi>{link.created_by.name}</bdi>
            </>
          )}
          {either.expires_at !== null && (
            <>
              {' · '}
              {Date.parse(either.expires_at) <= now ? 'expired' : 'expires'}{' '}
              {dateAndTime(either.expires_at, zone)}
            </>
          )}
          {stats !== undefined && stats.gone_requests > 0 && (
            <> · {counted(stats.gone_requests, 'request')} since then, by humans and bots</>
          )}
        </p>
      </div>
      <div class="actions">
        <CopyButton text={shortUrl} label="Copy short link" />
        <button type="button" onClick={() => setWithCode(true)}>
          QR code
        </button>
        {link !== undefined && <LinkMenu slug={slug} state={link.state} />}
      </div>
      {withCode && <QrDialog shortUrl={shortUrl} slug={slug} close={() => setWithCode(false)} />}
    </div>
  )
}

/** What is set beside the target. */
function LinkSettings({ link, zone }: { link: Link; zone: string }) {
  const { note, tags, valid_from: validFrom, expired_url: expiredUrl, max_visits: maxVisits } = link
  const settings = [
    link.deleted_at !== null && `deleted ${dateAndTime(link.deleted_at, zone)}`,
    link.state === 'scheduled' && validFrom !== null && `starts ${dateAndTime(validFrom, zone)}`,
    maxVisits !== null && `at most ${counted(maxVisits, 'visit')}`,
    link.forward_query && 'passes the query on',
  ].filter(setting => setting !== false)
  return (
    <>
      {expiredUrl !== null && (
        <p class="small-text">
          <span class="muted">after expiry to</span> <FoldedLink url={expiredUrl} />
        </p>
      )}
      {note !== null && (
        <p class="small-text note-text">
          <bdi>{note}</bdi>
        </p>
      )}
      {tags.length > 0 && (
        <ul class="row-tags" aria-label="Tags">
          {tags.map(tag => (
            <li key={tag} class="tag">
              <bdi>{tag}</bdi>
            </li>
          ))}
        </ul>
      )}
      {settings.length > 0 && <p class="muted small-text">{settings.join(' · ')}</p>}
    </>
  )
}
