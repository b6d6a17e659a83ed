import { useEffect, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Change } from '../api/links.ts'
import { readHistory } from '../api/links.ts'
import type { Problem } from '../api/problem.ts'
import { closeDialog, Dialog } from '../page/dialog.tsx'
import { dateAndTime } from '../text/times.ts'
import { capitalized } from '../text/value-names.ts'
import { Author, actionTitle, Changes } from './change-entry.tsx'

export function HistoryDialog({ slug, close }: { slug: string; close: () => void }) {
  const [history, setHistory] = useState<Change[]>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    void readHistory(slug).then(outcome => {
      if ('problem' in outcome) setProblem(outcome.problem)
      else setHistory(outcome.data)
    })
  }, [])
  return (
    <Dialog title={`History of /${slug}`} wide close={close}>
      <div role="status">
        {problem !== undefined && <p class="banner danger">{problem.detail}</p>}
        {history === undefined && problem === undefined && <p class="muted">Loading…</p>}
      </div>
      {history !== undefined && (
        <ol class="history">
          {history.map(change => (
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
      )}
      <button type="button" class="primary" onClick={closeDialog}>
        Close
      </button>
    </Dialog>
  )
}
