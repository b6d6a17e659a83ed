import { useSession } from '../access/session.tsx'
import type { Address } from '../address.ts'
import { isSlug } from '../address.ts'
import { searchedText } from '../api/stats.ts'
import { CopyButton } from '../page/copy-button.tsx'
import { fillForm } from './link-form.tsx'

/**
 * Says why a list is empty. That there are no visits is said only when none are pending.
 * @param address what the list is of
 */
export function EmptyList(props: { pending: number; address: Address; isLast: boolean }) {
  const { pending, address, isLast } = props
  const { search, tags, status, window } = address
  const { allows, session } = useSession()
  const canCreate = allows('links:write')
  const isNewest = address.sort === 'newest'
  if (search === undefined && pending > 0 && !isNewest)
    return <p class="empty counting">Still counting. The first visits will be here in a moment.</p>
  // A search looks at so many links per page, and may find none among them.
  if (!isLast) return <p class="empty">Nothing here. The next page may have more.</p>
  if (address.after !== undefined || address.until !== undefined)
    return <p class="empty">There are no more links.</p>
  if (search !== undefined) {
    const isFiltered = tags.length > 0 || status !== undefined || window !== 'all'
    return (
      <div class="empty">
        <p>
          {isNewest
            ? 'No link matches.'
            : 'No link’s name starts with this, and none leads to exactly this URL.'}
        </p>
        {canCreate && !isFiltered && <CreateIt search={search} />}
      </div>
    )
  }
  if (tags.length > 0 || status !== undefined) return <p class="empty">No link matches.</p>
  if (window !== 'all') return <p class="empty">No visits in this period.</p>
  if (!canCreate) return <p class="empty">There are no {isNewest ? 'links' : 'visits'} yet.</p>
  const curl = `curl -s ${location.origin}/shorten${session?.access === 'keys' ? " -H 'authorization: Bearer YOUR_KEY'" : ''} -H 'content-type: application/json' -d '{"long_url": "https://example.com/"}'`
  return (
    <div class="empty">
      <p>
        {isNewest
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

/** Offers to create what a search did not find: a link of this name, or to this URL. */
function CreateIt({ search }: { search: string }) {
  const text = searchedText(search)
  const what = isSlug(text) ? { slug: text } : isUrl(text) ? { long_url: text } : undefined
  if (what === undefined) return null
  return (
    <p class="actions">
      <button type="button" onClick={() => fillForm(what)}>
        {what.slug === undefined ? 'Shorten this URL' : <>Create the link /{what.slug}</>}
      </button>
    </p>
  )
}

/** With its scheme, or as people write a host. */
function isUrl(text: string): boolean {
  return /^https?:\/\/[^/]/i.test(text) || /^[\p{L}\p{N}.-]+\.\p{L}{2,}(:\d+)?([/?#]\S*)?$/u.test(text)
}
