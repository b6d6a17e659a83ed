import { sorts, windows } from '../address.ts'
import type { Polled } from '../api/poll.ts'
import type { ListedLink } from '../api/stats.ts'
import { PageLink, useNavigation } from '../navigation.tsx'
import { Choice } from '../page/choice.tsx'
import { Freshness } from '../page/freshness.tsx'
import { CrossIcon } from '../page/icons.tsx'
import { useNow } from '../text/now.ts'
import { EmptyList } from './empty-list.tsx'
import { LinkRow } from './link-row.tsx'

const windowTitles = { all: 'All time', '24h': '24 hours', '7d': '7 days', '30d': '30 days' }
const sortTitles = {
  visits: 'Most visits',
  uniques: 'Most unique visitors',
  last_visit: 'Latest visit',
  growth: 'Growth',
}

export function LinkList({ polled }: { polled: Polled<ListedLink[]> }) {
  const { address, go } = useNavigation()
  const now = useNow()
  const { response, isCurrent, next, problem } = polled
  const links = response?.data
  const after = next?.get('after') ?? undefined
  return (
    <section class="card" aria-labelledby="links">
      <div class="card-head">
        <h2 id="links">Links</h2>
        <div class="list-controls">
          <label>
            <span class="visually-hidden">Sort by</span>
            <select
              value={address.sort}
              onChange={event => {
                const sort = sorts.find(known => known === event.currentTarget.value) ?? 'visits'
                // Growth compares a window with the previous one, so it needs a window.
                const window = sort === 'growth' && address.window === 'all' ? '7d' : address.window
                go({ sort, window, after: undefined })
              }}
            >
              {sorts.map(sort => (
                <option key={sort} value={sort}>
                  {sortTitles[sort]}
                </option>
              ))}
            </select>
          </label>
          <Choice
            title="Which visits count"
            name="window"
            options={windows.map(value => ({ value, label: windowTitles[value] }))}
            value={address.window}
            choose={window =>
              go({
                window,
                sort: window === 'all' && address.sort === 'growth' ? 'visits' : address.sort,
                after: undefined,
              })
            }
          />
        </div>
      </div>
      {address.search !== undefined && (
        <ul class="chips">
          <li>
            <button
              type="button"
              class="chip"
              aria-label={`Remove the search ${address.search}`}
              onClick={() => go({ search: undefined, after: undefined })}
            >
              <span class="muted">Search</span> <bdi>{address.search}</bdi>
              <CrossIcon />
            </button>
          </li>
        </ul>
      )}
      <div aria-busy={!isCurrent && problem === undefined}>
        {links === undefined && problem === undefined && <PlaceholderRows />}
        {links?.length === 0 && <EmptyList pending={polled.pending} />}
        {links !== undefined && links.length > 0 && (
          <ol class="link-rows">
            {links.map(link => (
              <LinkRow key={link.slug} link={link} sort={address.sort} pending={polled.pending} now={now} />
            ))}
          </ol>
        )}
      </div>
      <div class="card-foot">
        <Freshness pending={polled.pending} />
        <nav class="actions" aria-label="Pages of the list">
          {address.after !== undefined && (
            <PageLink to={{ after: undefined }} class="button">
              To the top
            </PageLink>
          )}
          {isCurrent && after !== undefined && (
            <PageLink to={{ after }} class="button">
              Next page
            </PageLink>
          )}
        </nav>
      </div>
    </section>
  )
}

function PlaceholderRows() {
  return (
    <>
      <p class="visually-hidden">Loading…</p>
      <div class="placeholder row" />
      <div class="placeholder row" />
      <div class="placeholder row" />
    </>
  )
}
