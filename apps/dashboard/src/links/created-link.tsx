import { useMemo, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import { browserZone } from '../address.ts'
import { PageLink } from '../navigation.tsx'
import { CopyButton } from '../page/controls/copy-button.tsx'
import { FoldedLink, ForeignLink } from '../page/foreign-link.tsx'
import { drawCode } from '../qr/draw-code.ts'
import { QrCode } from '../qr/qr-code.tsx'
import { QrDialog } from '../qr/qr-dialog.tsx'
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
  const [withCode, setWithCode] = useState(false)
  const code = useMemo(() => drawCode(link.short_url, 'M'), [link.short_url])
  return (
    <section class="card created" aria-label="Your new link">
      <QrCode text={link.short_url} code={code} />
      <div>
        <p class="muted">Your new link</p>
        <p class="short-url">
          <ForeignLink url={link.short_url} />
        </p>
        <p class="long-url">
          <span class="muted">leads to</span> <FoldedLink url={link.long_url} />
        </p>
        {link.expires_at && <p class="muted">until {dateAndTime(link.expires_at, browserZone())}</p>}
        <div class="actions">
          <CopyButton text={link.short_url} label="Copy" focused />
          <button type="button" onClick={() => setWithCode(true)}>
            QR code…
          </button>
          {allows('stats:read') && (
            <PageLink to={{ link: link.slug }} class="button">
              Watch its visits
            </PageLink>
          )}
        </div>
      </div>
      {withCode && <QrDialog shortUrl={link.short_url} slug={link.slug} close={() => setWithCode(false)} />}
    </section>
  )
}
