import { useEffect, useRef } from 'preact/hooks'
import { CopyButton } from '../page/copy-button.tsx'
import { QrCode } from './qr-code.tsx'

export function QrDialog(props: { shortUrl: string; slug: string; close: () => void }) {
  const { shortUrl, slug, close } = props
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} class="qr-dialog" aria-label={`QR code of ${slug}`} onClose={close}>
      <h2>/{slug}</h2>
      <QrCode text={shortUrl} name={slug} />
      <div class="actions">
        <CopyButton text={shortUrl} label="Copy short link" />
        <button type="button" class="primary" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  )
}
