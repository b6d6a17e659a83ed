import { useNavigation } from '../navigation.tsx'
import { CopyButton } from '../page/copy-button.tsx'

/** Says that there are no visits only when none are pending. */
export function EmptyList({ pending }: { pending: number }) {
  const { address } = useNavigation()
  if (pending > 0)
    return <p class="empty counting">Still counting. The first visits will be here in a moment.</p>
  if (address.after !== undefined) return <p class="empty">There are no more links.</p>
  if (address.search !== undefined)
    return <p class="empty">No link’s name starts with this, and none leads to exactly this URL.</p>
  if (address.window !== 'all') return <p class="empty">No visits in this period.</p>
  const curl = `curl -s ${location.origin}/shorten -H 'content-type: application/json' -d '{"long_url": "https://example.com/"}'`
  return (
    <div class="empty">
      <p>No visits yet. Create a link above, or from a terminal, and open it:</p>
      <div class="curl">
        <code>{curl}</code>
        <CopyButton text={curl} label="Copy the command" subtle />
      </div>
    </div>
  )
}
