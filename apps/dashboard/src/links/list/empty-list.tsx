import { useSession } from '../../access/session.tsx'
import type { Address } from '../../address.ts'
import { isSlug } from '../../address.ts'
import { searchedText } from '../../api/stats.ts'
import { CopyButton } from '../../page/controls/copy-button.tsx'
import { fillForm } from '../link-form.tsx'

/**
 * Says why a list is empty. That there are no visits is said only when none are pending.
 * @param address what the list is of
 */
export function EmptyList(props: { pending: number; address: Address; isLast: boolean }) {
  const { address, isLast } = props
  const { search } = address
  const { allows } = useSession()
  const canCreate = allows('links:write')
  // A search looks at so many links per page, and may find none among them.
  if (!isLast) return <p class="empty">None found so far. “Next” searches older links.</p>
  if (address.after !== undefined || address.until !== undefined)
    return <p class="empty">There are no more links.</p>
  if (!allows('links:read')) return <NoVisits pending={props.pending} address={address} />
  if (isNarrowed(address))
    return (
      <div class="empty">
        <p>No link matches.</p>
        {canCreate && search !== undefined && <CreateIt search={search} />}
      </div>
    )
  return canCreate ? <FirstSteps /> : <p class="empty">Once there are links, they are listed here.</p>
}

/** Whether a list is of some links only. */
export function isNarrowed({ search, tags, status, after, until }: Address): boolean {
  return [search, status, after, until].some(part => part !== undefined) || tags.length > 0
}

/** Those who may see nothing of links but their visits have a list of the visited ones. */
function NoVisits({ pending, address: { search, window } }: { pending: number; address: Address }) {
  if (search !== undefined)
    return <p class="empty">No link’s name starts with this, and none leads to exactly this URL.</p>
  if (pending > 0)
    return <p class="empty counting">Still counting. The first visits will be here in a moment.</p>
  return <p class="empty">{window === 'all' ? 'There are no visits yet.' : 'No visits in this period.'}</p>
}

function FirstSteps() {
  const { session } = useSession()
  const curl = `curl -s ${location.origin}/shorten${session?.access === 'keys' ? " -H 'authorization: Bearer YOUR_KEY'" : ''} -H 'content-type: application/json' -d '{"long_url": "https://example.com/"}'`
  return (
    <div class="empty">
      <p>
        Paste a long URL above. Its short link is listed here at once, with its visits as they come, a QR
        code, and a menu to change it.
      </p>
      <p>From a terminal, the same is</p>
      <div class="curl">
        <code>{curl}</code>
        <CopyButton text={curl} label="Copy the command" subtle />
      </div>
    </div>
  )
}

/** Offers to create what a search did not find: a link of this name, or to this URL. */
function CreateIt({ search }: { search: string }) {
  const { session } = useSession()
  const text = slugOfOwn(searchedText(search), session?.short_origin)
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

/** Of a short URL of this service, wherever the page is opened; other texts as they are. */
function slugOfOwn(text: string, shortOrigin = location.origin): string {
  const url = URL.parse(/^https?:/i.test(text) ? text : `http://${text}`)
  const own = [location.host, URL.parse(shortOrigin)?.host]
  return url !== null && own.includes(url.host) ? url.pathname.slice(1) : text
}

/** With its scheme, or as people write a host. */
function isUrl(text: string): boolean {
  return /^https?:\/\/[^/]/i.test(text) || /^[\p{L}\p{N}.-]+\.\p{L}{2,}(:\d+)?([/?#]\S*)?$/u.test(text)
}
