import { useSession } from '../access/session.tsx'
import { browserZone } from '../address.ts'
import { PageLink } from '../navigation.tsx'
import { CopyButton } from '../page/copy-button.tsx'
import { ForeignLink } from '../page/foreign-link.tsx'
import { QrCode } from '../qr/qr-code.tsx'
import { dateAndTime } from '../text/times.ts'

/** As either route that creates links describes one. */
export interface NewLink {
  slug: string
  short_url: string
  long_url: string
  expires_at?: string | null
}

export function CreatedLink({ link }: { link: NewLink }) {
  const { allows } = useSession()

  return (
    <section class="card created" aria-label="Your new link">
      <QrCode text={link.short_url} name={link.slug} />
      <div>
        <p class="muted">Your new link</p>
        <p class="short-url">
          <ForeignLink url={link.short_url} />
        </p>
        <p class="long-url">
          <span class="muted">leads to</span> <ForeignLink url={link.long_url} />
        </p>
        {link.expires_at && <p class="muted">until {dateAndTime(link.expires_at, browserZone())}</p>}
        <div class="actions">
          <CopyButton text={link.short_url} label="Copy" focused />
          {allows('stats:read') && (
            <PageLink to={{ link: link.slug }} class="button">
              Watch its visits
            </PageLink>
          )}
        </div>
      </div>
    </section>
  )
}
