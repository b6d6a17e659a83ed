import { isSlug } from '../address.ts'
import { usePolled } from '../api/poll.ts'
import type { Orphans } from '../api/stats.ts'
import { orphansUrl } from '../api/stats.ts'
import { counted } from '../text/numbers.ts'
import { dayName } from '../text/times.ts'

const everyMs = 25_000

/** Names that were requested recently but aren't links: misprints, or links that are missing. */
export function OrphanList({ make }: { make: ((slug: string) => void) | undefined }) {
  const { response } = usePolled<Orphans>({ url: orphansUrl, about: undefined }, { everyMs })
  const slugs = response?.data.slugs ?? []
  if (slugs.length === 0) return null
  return (
    <section class="card" aria-labelledby="orphans">
      <div class="card-head">
        <h2 id="orphans">Requested, but not a link</h2>
        <p class="muted small-text">in the last 7 days (UTC)</p>
      </div>
      <ul class="orphans">
        {slugs.map(({ slug, requests, last_day }) => (
          <li key={slug}>
            <bdi class="orphan">/{slug}</bdi>
            <span class="muted">
              {counted(requests, 'request')}, last on {dayName(last_day, 'UTC')}
            </span>
            {/* A damaged link, such as tour), is listed as it was requested; no link can have that slug. */}
            {make !== undefined && isSlug(slug) && (
              <button type="button" aria-label={`Create it: the link ${slug}`} onClick={() => make(slug)}>
                Create it
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
