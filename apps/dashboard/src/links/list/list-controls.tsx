import { useRef } from 'preact/hooks'
import { useSession } from '../../access/session.tsx'
import type { Address, Sort } from '../../address.ts'
import { firstPage, sorts, states, windows } from '../../address.ts'
import { usePolled } from '../../api/poll.ts'
import type { Scope } from '../../api/session.ts'
import { stateTitles } from '../../manage/link-state.tsx'
import { useNavigation } from '../../navigation.tsx'
import { Choice } from '../../page/controls/choice.tsx'
import { CrossIcon } from '../../page/controls/icons.tsx'

const windowTitles = { all: 'All time', '24h': '24 hours', '7d': '7 days', '30d': '30 days' }
const sortTitles: Record<Sort, string> = {
  newest: 'Newest',
  humans: 'Most visits',
  visits: 'Most visits, with bots',
  uniques: 'Most unique visitors',
  last_visit: 'Latest visit',
  growth: 'Growth',
}
const tagsEveryMs = 120_000
/** The API counts tags once in a while, and may not have counted a new one yet. */
const missingTagsEveryMs = 5_000
/** It lists no more of them, and none of deleted links. */
const mostTagsKnown = 10_000
/** Those with the most links: more would be no choice any more. Any other can be chosen at a link that has it. */
const mostTagsShown = 200

/** The order that the user may see: the newest links need `links:read`, all others `stats:read`. */
export function shownSort(sort: Sort, allows: (scope: Scope) => boolean): Sort {
  if (!allows('stats:read')) return 'newest'
  return sort === 'newest' && !allows('links:read') ? 'humans' : sort
}

/** @param listedTags those of the listed links: a change of them may be a new tag */
export function ListControls({ listedTags }: { listedTags: string }) {
  const { address, go } = useNavigation()
  const { allows } = useSession()
  const shown = shownSort(address.sort, allows)
  const possible = sorts.filter(sort => shownSort(sort, allows) === sort)
  return (
    <div class="list-controls">
      {possible.length > 1 && (
        <select
          aria-label="Sort by"
          value={shown}
          onChange={event => {
            const sort = sorts.find(known => known === event.currentTarget.value) ?? 'newest'
            go(sortedBy(sort, address))
          }}
        >
          {possible.map(sort => (
            <option key={sort} value={sort}>
              {sortTitles[sort]}
            </option>
          ))}
        </select>
      )}
      {allows('links:read') && <ListFilters listedTags={listedTags} />}
      {shown !== 'newest' && (
        <Choice
          title="Which visits count"
          name="window"
          options={windows.map(value => ({ value, label: windowTitles[value] }))}
          value={address.window}
          choose={window =>
            go({ window, sort: window === 'all' && shown === 'growth' ? 'humans' : shown, ...firstPage })
          }
        />
      )}
    </div>
  )
}

/** The newest links have no window; growth compares one with the previous one, so it needs one. */
function sortedBy(sort: Sort, { window }: Address): Partial<Address> {
  if (sort === 'newest') return { sort, window: 'all', ...firstPage }
  return { sort, window: sort === 'growth' && window === 'all' ? '7d' : window, ...firstPage }
}

function ListFilters({ listedTags }: { listedTags: string }) {
  const { address, go } = useNavigation()
  const known = useRef(new Set<string>())
  const isBehind =
    known.current.size < mostTagsKnown &&
    address.status !== 'deleted' &&
    listedTags
      .toLowerCase()
      .split(',')
      .some(tag => tag !== '' && !known.current.has(tag))
  const { response } = usePolled<{ tag: string; links: number }[]>(
    { url: '/api/tags', about: undefined },
    { everyMs: isBehind ? missingTagsEveryMs : tagsEveryMs, news: listedTags },
  )
  known.current = new Set(response?.data.map(({ tag }) => tag.toLowerCase()))
  const chosen = address.tags.map(tag => tag.toLowerCase())
  const tags =
    response?.data.filter(({ tag }) => !chosen.includes(tag.toLowerCase())).slice(0, mostTagsShown) ?? []
  return (
    <>
      <select
        aria-label="State"
        value={address.status ?? ''}
        onChange={event => {
          const status = states.find(known => known === event.currentTarget.value)
          go({ status, ...firstPage })
        }}
      >
        <option value="">Any state</option>
        {states.map(state => (
          <option key={state} value={state}>
            {stateTitles[state]}
          </option>
        ))}
      </select>
      {tags.length > 0 && (
        <select
          aria-label="Tag"
          value=""
          onChange={event => go({ tags: [...address.tags, event.currentTarget.value], ...firstPage })}
        >
          <option value="">{chosen.length === 0 ? 'Any tag' : 'One more tag'}</option>
          {tags.map(({ tag, links }) => (
            <option key={tag} value={tag}>
              {tag} ({links})
            </option>
          ))}
        </select>
      )}
    </>
  )
}

/** What the list is searched and filtered by, each with a button that ends it. */
export function ListChips() {
  const { address, go } = useNavigation()
  const { search, tags } = address
  if (search === undefined && tags.length === 0) return null
  return (
    <ul class="chips">
      {search !== undefined && (
        <Chip
          title="Search"
          value={search}
          what="search"
          end={() => go({ search: undefined, ...firstPage })}
        />
      )}
      {tags.map(tag => (
        <Chip
          key={tag}
          title="Tag"
          value={tag}
          what="tag"
          end={() => go({ tags: tags.filter(other => other !== tag), ...firstPage })}
        />
      ))}
    </ul>
  )
}

function Chip(props: { title: string; value: string; what: string; end: () => void }) {
  return (
    <li>
      <button
        type="button"
        class="chip"
        title={props.value}
        aria-label={`Remove the ${props.what} ${props.value}`}
        onClick={props.end}
      >
        <span class="muted">{props.title}</span> <bdi>{props.value}</bdi>
        <CrossIcon />
      </button>
    </li>
  )
}
