import { windows } from '../address.ts'
import type { Polled } from '../api/poll.ts'
import type { TopLink } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { Choice } from '../page/choice.tsx'
import { CopyButton } from '../page/copy-button.tsx'
import { Freshness } from '../page/freshness.tsx'
import { useNow } from '../text/now.ts'
import { number } from '../text/numbers.ts'
import { ago } from '../text/times.ts'
import { EmptyList } from './empty-list.tsx'

const windowTitles = { all: 'All time', '24h': '24 hours', '7d': '7 days', '30d': '30 days' }

export function TopLinks({ polled }: { polled: Polled<TopLink[]> }) {
  const { address, go } = useNavigation()
  const { data: links, next, isCurrent } = polled
  return (
    <section class="card" aria-labelledby="most-visited">
      <div class="card-head">
        <h2 id="most-visited">Most visited</h2>
        <Choice
          title="Which visits count"
          name="window"
          options={windows.map(value => ({ value, label: windowTitles[value] }))}
          value={address.window}
          choose={window => go({ window, after: undefined })}
        />
      </div>
      <div aria-busy={!isCurrent}>
        {links === undefined && polled.problem === undefined && <p class="muted">Loading…</p>}
        {links?.length === 0 && <EmptyList pending={polled.pending} />}
        {links !== undefined && links.length > 0 && <LinkRows links={links} />}
      </div>
      <div class="card-foot">
        <Freshness pending={polled.pending} />
        <nav class="actions" aria-label="Pages of the list">
          {address.after !== undefined && (
            <PageLink to={{ after: undefined }} class="button">
              To the top
            </PageLink>
          )}
          {isCurrent && next !== undefined && (
            <PageLink to={{ after: next }} class="button">
              Next page
            </PageLink>
          )}
        </nav>
      </div>
    </section>
  )
}

function LinkRows({ links }: { links: TopLink[] }) {
  const now = useNow()
  const most = Math.max(...links.map(link => link.visits))
  return (
    <ol class="link-rows">
      {links.map(link => (
        <li key={link.slug}>
          <div class="link-names">
            <PageLink to={{ link: link.slug }} class="slug">
              /{link.slug}
            </PageLink>
            <bdi class="target" title={link.long_url}>
              {link.long_url.replace(/^https?:\/\/(www\.)?/, '').replace(/\/$/, '')}
            </bdi>
          </div>
          <div class="link-count">
            <span key={link.visits} class="number risen">
              {number(link.visits)} <span class="muted">{link.visits === 1 ? 'visit' : 'visits'}</span>
            </span>
            <time class="muted" dateTime={link.last_visit}>
              {ago(link.last_visit, now)}
            </time>
          </div>
          <CopyButton
            text={`${location.origin}/${link.slug}`}
            label={`Copy the short link ${link.slug}`}
            subtle
          />
          <span class="share" aria-hidden="true">
            <span style={{ width: `${(100 * link.visits) / most}%` }} />
          </span>
        </li>
      ))}
    </ol>
  )
}
