import { useState } from 'preact/hooks'
import type { Sort } from '../../address.ts'
import { firstPage } from '../../address.ts'
import type { LinkWithVisits } from '../../api/links.ts'
import { leadMetric } from '../../api/stats.ts'
import { LinkMenu } from '../../manage/link-menu.tsx'
import { StateMark } from '../../manage/link-state.tsx'
import { PageLink, useNavigation } from '../../navigation.tsx'
import { CopyButton } from '../../page/controls/copy-button.tsx'
import { QrIcon } from '../../page/controls/icons.tsx'
import { QrDialog } from '../../qr/qr-dialog.tsx'
import { counted, number } from '../../text/numbers.ts'
import { ago } from '../../text/times.ts'
import { useLatestLink } from '../latest-link.tsx'
import { foundTexts, isShortUrlOf, Marked } from './marked.tsx'
import { RowTarget } from './row-target.tsx'
import { Sparkline } from './sparkline.tsx'

/** Counts are missing where the user may not see them; titles and tags, where only those. */
export type RowLink = Pick<LinkWithVisits, 'slug' | 'short_url' | 'long_url'> & Partial<LinkWithVisits>

interface LinkRowProps {
  link: RowLink
  sort: Sort
  /** The text that the list was searched for. */
  search: string | undefined
  /** Visits that are not in the statistics yet: a link that shows none may have one of them. */
  pending: number
  now: number
}

export function LinkRow({ link, sort, search, pending, now }: LinkRowProps) {
  const [withCode, setWithCode] = useState(false)
  const { go } = useNavigation()
  const isLatest = useLatestLink().latest?.slug === link.slug
  const found = foundTexts(search)
  const details = detailsOf(link, sort)
  const shortUrl = link.short_url
  return (
    <li class={isLatest ? 'latest' : undefined}>
      <div class="link-names">
        <PageLink to={{ link: link.slug }} class="slug">
          <Marked text={`/${link.slug}`} found={isShortUrlOf(link.slug, search) ? [link.slug] : found} />
        </PageLink>
        {isLatest && <span class="tag new">New</span>}
        {link.state !== undefined && <StateMark state={link.state} />}
        {link.title && (
          <bdi class="row-title">
            <Marked text={link.title} found={found} />
          </bdi>
        )}
        <RowTarget slug={link.slug} longUrl={link.long_url} found={found} />
        {link.tags !== undefined && link.tags.length > 0 && (
          <ul class="row-tags" aria-label="Tags">
            {link.tags.map(tag => (
              <li key={tag}>
                <button
                  type="button"
                  class="tag"
                  aria-label={`Only links with the tag ${tag}`}
                  onClick={() => go({ tags: [tag], ...firstPage })}
                >
                  <bdi>{tag}</bdi>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {link.sparkline !== undefined ? <Sparkline values={link.sparkline} /> : <span class="sparkline" />}
      <div class="link-count">
        {link.visits !== undefined && (
          <MainFigure link={link} visits={link.visits} sort={sort} pending={pending} />
        )}
        <span class="muted">
          {details}
          {details !== '' && link.last_visit && ' · '}
          {link.last_visit && (
            <time dateTime={link.last_visit} title="last visit">
              {ago(link.last_visit, now)}
            </time>
          )}
        </span>
      </div>
      <div class="row-actions">
        <CopyButton text={shortUrl} label={`Copy the short link ${link.slug}`} subtle />
        <button
          type="button"
          class="icon"
          aria-label={`QR code of ${link.slug}`}
          title={`QR code of ${link.slug}`}
          onClick={() => setWithCode(true)}
        >
          <QrIcon />
        </button>
        <LinkMenu slug={link.slug} state={link.state ?? 'active'} />
      </div>
      {withCode && <QrDialog shortUrl={shortUrl} slug={link.slug} close={() => setWithCode(false)} />}
    </li>
  )
}

/** The value that the list is sorted by. */
function MainFigure({
  link,
  visits,
  sort,
  pending,
}: Omit<LinkRowProps, 'now' | 'search'> & { visits: number }) {
  if (visits === 0 && !link.last_visit)
    return pending > 0 ? (
      <span class="counting">still counting</span>
    ) : (
      <span class="muted">no visits yet</span>
    )
  const { uniques = 0, growth = 0 } = link
  if (sort === 'uniques')
    return <Figure value={number(uniques)} unit={uniques === 1 ? 'unique visitor' : 'unique visitors'} />
  if (sort === 'growth')
    return (
      <Figure value={signed(growth)} unit={`${Math.abs(growth) === 1 ? 'visit' : 'visits'}, with bots`} />
    )
  const lead = leadOf(link, sort)
  return <Figure value={number(lead)} unit={lead === 1 ? 'visit' : 'visits'} />
}

function Figure({ value, unit }: { value: string; unit: string }) {
  return (
    <span key={value} class="number risen">
      {value} <span class="muted">{unit}</span>
    </span>
  )
}

/** Visits by humans, unless the list counts all visits or only bots came. */
function leadOf({ visits = 0, humans = visits }: RowLink, sort: Sort): number {
  return sort === 'visits' || leadMetric({ visits, humans }) === 'visits' ? visits : humans
}

/** Which visits the figure leaves out or includes, if not all are by humans. */
function detailsOf(link: RowLink, sort: Sort): string {
  const { visits = 0, humans = visits } = link
  const lead = leadOf(link, sort)
  const parts = []
  if (visits > 0 && (sort === 'uniques' || sort === 'growth')) parts.push(counted(lead, 'visit'))
  if (visits > lead) parts.push(`and ${number(visits - lead)} by bots`)
  else if (visits > humans) parts.push(humans === 0 ? 'by bots' : `${number(humans)} by humans`)
  return parts.join(', ')
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${number(value)}`.replace('-', '−')
}
