import { useSession } from '../access/session.tsx'
import type { Sort } from '../address.ts'
import { useNavigation } from '../navigation.tsx'
import { CopyButton } from '../page/copy-button.tsx'

/** Says that there are no visits only when none are pending. */
export function EmptyList({ pending, sort, isLast }: { pending: number; sort: Sort; isLast: boolean }) {
  const { allows, session } = useSession()
  const { address } = useNavigation()
  if (pending > 0)
    return <p class="empty counting">Still counting. The first visits will be here in a moment.</p>
  // A search looks at so many links per page, and may find none among them.
  if (!isLast) return <p class="empty">Nothing here. The next page may have more.</p>
  if (address.after !== undefined) return <p class="empty">There are no more links.</p>
  if (sort === 'newest') {
    if (address.search !== undefined || address.tags.length > 0 || address.status !== undefined)
      return <p class="empty">No link matches.</p>
    if (!allows('links:write')) return <p class="empty">There are no links yet.</p>
  } else if (address.search !== undefined)
    return <p class="empty">No link’s name starts with this, and none leads to exactly this URL.</p>
  if (address.window !== 'all') return <p class="empty">No visits in this period.</p>
  const curl = `curl -s ${location.origin}/shorten${session?.access === 'keys' ? " -H 'authorization: Bearer YOUR_KEY'" : ''} -H 'content-type: application/json' -d '{"long_url": "https://example.com/"}'`
  return (
    <div class="empty">
      <p>
        {sort === 'newest'
          ? 'No links yet. Create one above, or from a terminal:'
          : 'No visits yet. Create a link above, or from a terminal, and open it:'}
      </p>
      <div class="curl">
        <code>{curl}</code>
        <CopyButton text={curl} label="Copy the command" subtle />
      </div>
    </div>
  )
}
