import { useState } from 'preact/hooks'
import type { LinkStats } from '../api/stats.ts'
import { PageLink } from '../navigation.tsx'
import { CopyButton } from '../page/copy-button.tsx'
import { ForeignLink } from '../page/foreign-link.tsx'
import { ArrowIcon } from '../page/icons.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { QrCode } from '../page/qr-code.tsx'
import { counted } from '../text/numbers.ts'
import { dateAndTime, dayName } from '../text/times.ts'
import { Report } from './report.tsx'
import { useReportData } from './report-data.ts'

/** Everything about one link. Recreated for another slug, so that one link's data is never shown as another's. */
export function LinkPage({ slug }: { slug: string }) {
  const data = useReportData(slug)
  const { response, problem } = data.stats
  const isNoLink = problem?.status === 404
  const link = response?.data as LinkStats | undefined
  return (
    <>
      <PageLink to={{ link: undefined, view: 'links' }} class="back">
        <ArrowIcon /> All links
      </PageLink>
      <PageTitle>/{slug}</PageTitle>
      {isNoLink ? (
        <p class="lead">There is no link with this name.</p>
      ) : (
        <>
          {link !== undefined && <LinkHead link={link} zone={data.requested.zone} now={data.now} />}
          <Report slug={slug} data={data} />
        </>
      )}
    </>
  )
}

function LinkHead({ link, zone, now }: { link: LinkStats; zone: string; now: number }) {
  const [withCode, setWithCode] = useState(false)
  const { slug, expires_at: expiresAt } = link
  const shortUrl = `${location.origin}/${slug}`
  return (
    <div class="link-head">
      <div class="long-url">
        <p>
          <span class="muted">leads to</span> <ForeignLink url={link.long_url} />
        </p>
        <p class="muted small-text">
          created {dayName(link.created_at, zone)}
          {expiresAt !== null && (
            <>
              {' · '}
              {Date.parse(expiresAt) <= now ? 'expired' : 'expires'} {dateAndTime(expiresAt, zone)}
            </>
          )}
          {link.gone_requests > 0 && (
            <> · {counted(link.gone_requests, 'request')} since then, by humans and bots</>
          )}
        </p>
      </div>
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
