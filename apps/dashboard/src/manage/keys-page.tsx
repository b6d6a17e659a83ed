import { useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import { browserZone } from '../address.ts'
import type { Key } from '../api/keys.ts'
import { keysPath, revokeKey } from '../api/keys.ts'
import { usePolled } from '../api/poll.ts'
import { closeDialog, Dialog } from '../page/controls/dialog.tsx'
import { useNotice } from '../page/controls/notice.tsx'
import { RefusalBanner } from '../page/freshness.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { counted } from '../text/numbers.ts'
import { dateAndTime, dayName } from '../text/times.ts'
import { capitalized } from '../text/value-names.ts'
import { CreateKey } from './create-key.tsx'

const everyMs = 10_000

export function KeysPage() {
  const { response, problem } = usePolled<Key[]>({ url: keysPath, about: undefined }, { everyMs, lead: true })
  const { session } = useSession()
  const [revoking, setRevoking] = useState<Key>()
  return (
    <>
      <PageTitle>Keys</PageTitle>
      <p class="lead">What programs and people may do here.</p>
      {session?.access === 'open' && (
        <p class="banner hint">
          Access is open: nobody needs a key until the service is started with ACCESS=keys.
        </p>
      )}
      <CreateKey />
      <RefusalBanner problem={problem} />
      <section class="card" aria-labelledby="keys">
        <h2 id="keys" tabIndex={-1}>
          All keys
        </h2>
        {response === undefined && problem === undefined && <p class="muted">Loading…</p>}
        {response?.data.length === 0 && <p class="empty">There are no keys yet.</p>}
        <ul class="keys-list">
          {response?.data.map(key => (
            <li key={key.id}>
              <KeyDescription value={key} />
              {key.state === 'active' && (
                <button type="button" aria-label={`Revoke ${key.name}…`} onClick={() => setRevoking(key)}>
                  Revoke…
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      {revoking !== undefined && <RevokeDialog value={revoking} close={() => setRevoking(undefined)} />}
    </>
  )
}

function KeyDescription({ value: key }: { value: Key }) {
  const zone = browserZone()
  return (
    <div>
      <p>
        <bdi class="author">{key.name}</bdi>{' '}
        {key.state !== 'active' && <span class={`tag state ${key.state}`}>{capitalized(key.state)}</span>}
      </p>
      <p class="small-text">
        {key.scopes.join(', ')}
        {key.requests_per_minute !== null && `, ${counted(key.requests_per_minute, 'request')} per minute`}
      </p>
      <p class="muted small-text">
        <code>{key.hint}…</code> · created {dayName(key.created_at, zone)}
        {key.revoked_at !== null
          ? ` · revoked ${dateAndTime(key.revoked_at, zone)}`
          : key.expires_at !== null &&
            ` · ${key.state === 'expired' ? 'expired' : 'expires'} ${dateAndTime(key.expires_at, zone)}`}
      </p>
    </div>
  )
}

function RevokeDialog({ value: key, close }: { value: Key; close: () => void }) {
  const notify = useNotice()
  const [problem, setProblem] = useState<string>()

  async function revoke(button: HTMLElement): Promise<void> {
    const outcome = await revokeKey(key.id)
    if ('problem' in outcome) return setProblem(outcome.problem.detail)
    notify({ text: `The key ${key.name} is revoked.` })
    button.closest('dialog')?.close()
    // The button that opened the dialog goes with its key's state.
    document.getElementById('keys')?.focus()
  }

  return (
    <Dialog title="Revoke this key?" close={close}>
      <p>
        Whatever uses <bdi class="typed">{key.name}</bdi> is refused within a second. This can’t be undone.
      </p>
      <div role="alert">{problem !== undefined && <p class="banner danger">{problem}</p>}</div>
      <div class="actions">
        <button type="button" class="danger" onClick={event => void revoke(event.currentTarget)}>
          Revoke
        </button>
        <button type="button" onClick={closeDialog}>
          Cancel
        </button>
      </div>
    </Dialog>
  )
}
