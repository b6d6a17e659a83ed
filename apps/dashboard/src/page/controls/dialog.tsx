import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

/** A modal dialog with a heading. When it closes, the browser gives the focus back to what had it before. */
export function Dialog(props: {
  title: string
  wide?: boolean
  close: () => void
  children: ComponentChildren
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  const isGone = useRef(false)
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => {
      isGone.current = true
      // Removing an open dialog would leave the focus nowhere.
      element?.close()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={props.wide ? 'wide' : undefined}
      aria-labelledby={titleId}
      onClose={() => !isGone.current && props.close()}
    >
      <h2 id={titleId}>{props.title}</h2>
      {props.children}
    </dialog>
  )
}

/** For buttons in a dialog: closes it as Escape does. */
export function closeDialog(event: { currentTarget: Element }): void {
  event.currentTarget.closest('dialog')?.close()
}

/** The end of a form in a dialog: the button that sends it, and the one that doesn't. */
export function DialogActions(props: {
  kind: 'primary' | 'danger'
  isSending: boolean
  send: string
  sending: string
}) {
  const { kind, isSending, send, sending } = props
  return (
    <div class="actions">
      <button type="submit" class={kind} aria-disabled={isSending}>
        {isSending ? sending : send}
      </button>
      <button type="button" onClick={closeDialog}>
        Cancel
      </button>
    </div>
  )
}
