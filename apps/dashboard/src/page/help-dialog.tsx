import { useEffect, useRef, useState } from 'preact/hooks'
import { shortcutsAreOn, turnShortcuts } from './shortcuts.ts'

const keys = [
  ['/', 'search links'],
  ['D', 'the last 24 hours'],
  ['W', 'the last 7 days'],
  ['M', 'the last 30 days'],
  ['Y', 'the last 12 months'],
  ['X', 'compare with the period before'],
  ['L', 'links'],
  ['O', 'overview'],
  ['N', 'a new link'],
  ['?', 'this help'],
  ['← →', 'on the chart: its numbers; with Shift, select; Enter shows only these'],
] as const

export function HelpDialog({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [on, setOn] = useState(shortcutsAreOn)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keyboard</h2>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={on}
          onChange={event => {
            turnShortcuts(event.currentTarget.checked)
            setOn(event.currentTarget.checked)
          }}
        />
        Use these shortcuts
      </label>
      <p class="muted">
        Every redirect is counted exactly once. The API reference is at{' '}
        <a href="/docs" rel="noopener">
          /docs
        </a>
        .
      </p>
      <button type="button" class="primary" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  )
}
