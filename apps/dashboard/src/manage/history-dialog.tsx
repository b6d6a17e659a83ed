import { useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Change } from '../api/links.ts'
import { historyUrl } from '../api/links.ts'
import { usePolled } from '../api/poll.ts'
import { closeDialog, Dialog } from '../page/controls/dialog.tsx'
import { ProblemBanner } from '../page/freshness.tsx'
import { dateAndTime } from '../text/times.ts'
import { capitalized } from '../text/value-names.ts'
import { Author, actionTitle, Changes } from './change-entry.tsx'

const everyMs = 10_000

export function HistoryDialog({ slug, close }: { slug: string; close: () => void }) {
  const [after, setAfter] = useState<string>()
  const { response, isCurrent, next, problem } = usePolled<Change[]>(
    { url: historyUrl(slug, after), about: undefined },
    { everyMs },
  )
  const older = next?.get('after') ?? undefined
  return (
    <Dialog title={`History of /${slug}`} wide close={close}>
      <ProblemBanner problem={problem} />
      {response === undefined && problem === undefined && <p class="muted">Loading…</p>}
      <ol class="history" aria-busy={!isCurrent && problem === undefined}>
        {response?.data.map(change => (
          <li key={`${change.at} ${change.action}`}>
            <p>
              {capitalized(actionTitle(change.action))}{' '}
              <time class="muted" dateTime={change.at}>
                {dateAndTime(change.at, browserZone(), true)}
              </time>
            </p>
            <p class="small-text">
              <Author change={change} />
            </p>
            <Changes changes={change.changes} />
          </li>
        ))}
      </ol>
      <div class="actions">
        <button type="button" class="primary" onClick={closeDialog}>
          Close
        </button>
        {after !== undefined && (
          <button type="button" onClick={() => setAfter(undefined)}>
            Newest
          </button>
        )}
        {isCurrent && older !== undefined && (
          <button type="button" onClick={() => setAfter(older)}>
            Older
          </button>
        )}
      </div>
    </Dialog>
  )
}
