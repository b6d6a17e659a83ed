import { useState } from 'preact/hooks'
import type { Sort } from '../address.ts'
import type { ListedLink } from '../api/stats.ts'
import { PageLink } from '../navigation.tsx'
import { CopyButton } from '../page/copy-button.tsx'
import { QrIcon } from '../page/icons.tsx'
import { counted, number } from '../text/numbers.ts'
import { shownTarget } from '../text/shown-target.ts'
import { ago } from '../text/times.ts'
import { QrDialog } from './qr-dialog.tsx'
import { Sparkline } from './sparkline.tsx'

interface LinkRowProps {
  link: ListedLink
  sort: Sort
  /** Visits that are not in the statistics yet: a link that shows none may have one of them. */
  pending: number
  now: number
}

export function LinkRow({ link, sort, pending, now }: LinkRowProps) {
  const [withCode, setWithCode] = useState(false)
  const shortUrl = `${location.origin}/${link.slug}`
  return (
    <li>
      <div class="link-names">
        <PageLink to={{ link: link.slug }} class="slug">
          /{link.slug}
        </PageLink>
        <bdi class="target" title={link.long_url}>
          {shownTarget(link.long_url)
            .replace(/^https?:\/\/(www\.)?/, '')
            .replace(/\/$/, '')}
        </bdi>
      </div>
      {link.sparkline !== undefined && <Sparkline values={link.sparkline} />}
      <div class="link-count">
        <MainFigure link={link} sort={sort} pending={pending} />
        <span class="muted">
          <Details link={link} sort={sort} />
          {link.last_visit !== null && (
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
      </div>
      {withCode && <QrDialog shortUrl={shortUrl} slug={link.slug} close={() => setWithCode(false)} />}
    </li>
  )
}

/** The value that the list is sorted by. */
function MainFigure({ link, sort, pending }: Omit<LinkRowProps, 'now'>) {
  if (sort === 'uniques') return <Figure value={number(link.uniques ?? 0)} unit="unique visitors" />
  if (sort === 'growth') return <Figure value={signed(link.growth ?? 0)} unit="visits" />
  if (link.visits === 0 && link.last_visit === null)
    return pending > 0 ? (
      <span class="counting">still counting</span>
    ) : (
      <span class="muted">no visits yet</span>
    )
  return <Figure value={number(link.visits)} unit={link.visits === 1 ? 'visit' : 'visits'} />
}

function Figure({ value, unit }: { value: string; unit: string }) {
  return (
    <span key={value} class="number risen">
      {value} <span class="muted">{unit}</span>
    </span>
  )
}

/** How many of the visits are by humans, if not all are. */
function Details({ link, sort }: { link: ListedLink; sort: Sort }) {
  const parts = []
  if (sort === 'uniques' || sort === 'growth') parts.push(counted(link.visits, 'visit'))
  if (link.visits > link.humans) parts.push(`${number(link.humans)} by humans`)
  return parts.length > 0 ? <>{parts.join(', ')} · </> : null
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${number(value)}`.replace('-', '−')
}
