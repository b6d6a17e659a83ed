import { browserZone, firstPage } from '../address.ts'
import type { AuditEntry } from '../api/keys.ts'
import { auditUrl } from '../api/keys.ts'
import { usePolled } from '../api/poll.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { RefusalBanner } from '../page/freshness.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { dateAndTime } from '../text/times.ts'
import { capitalized } from '../text/value-names.ts'
import { Author, actionTitle, Changes } from './change-entry.tsx'

const everyMs = 10_000

/** Who changed what, of all links and keys, newest first. */
export function AuditPage() {
  const { address } = useNavigation()
  const { after } = address
  const { response, isCurrent, next, problem } = usePolled<AuditEntry[]>(
    { url: auditUrl(after), about: undefined },
    { everyMs, lead: true },
  )
  const older = next?.get('after') ?? undefined
  return (
    <>
      <PageTitle>Audit</PageTitle>
      <p class="lead">Who changed what, newest first.</p>
      <RefusalBanner problem={problem} />
      <section class="card" aria-label="Changes" aria-busy={!isCurrent && problem === undefined}>
        {response?.data.length === 0 && <p class="empty">Nothing has been changed yet.</p>}
        <ol class="history">
          {response?.data.map(entry => (
            <li key={`${entry.at} ${entry.action} ${entry.subject}`}>
              <p>
                {capitalized(actionTitle(entry.action))} <Subject entry={entry} />{' '}
                <time class="muted" dateTime={entry.at}>
                  {dateAndTime(entry.at, browserZone(), true)}
                </time>
              </p>
              <p class="small-text">
                <Author change={entry} />
              </p>
              <Changes changes={entry.changes} />
            </li>
          ))}
        </ol>
        {(after !== undefined || older !== undefined) && (
          <nav class="actions card-foot" aria-label="Pages of the audit">
            {after !== undefined && (
              <PageLink to={firstPage} class="button">
                Newest
              </PageLink>
            )}
            {isCurrent && older !== undefined && (
              <PageLink to={{ after: older }} class="button">
                Older
              </PageLink>
            )}
          </nav>
        )}
      </section>
    </>
  )
}

function Subject({ entry }: { entry: AuditEntry }) {
  if (!entry.action.startsWith('link.')) return <bdi class="author">{entry.subject}</bdi>
  return (
    <PageLink to={{ link: entry.subject, ...firstPage }}>
      <bdi>/{entry.subject}</bdi>
    </PageLink>
  )
}
