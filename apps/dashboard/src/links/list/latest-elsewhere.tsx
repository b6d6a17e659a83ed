import { useEffect, useRef, useState } from 'preact/hooks'
import { firstPage } from '../../address.ts'
import type { Polled } from '../../api/poll.ts'
import { PageLink } from '../../navigation.tsx'
import { useLatestLink } from '../latest-link.tsx'

/** Where every link is, the newest first. */
const newestList = {
  sort: 'newest',
  window: 'all',
  search: undefined,
  status: undefined,
  tags: [],
  ...firstPage,
} as const

/** By then, a list has been read again after a link was created. */
const readAgainMs = 1_000

/** Says that the list does not show the link that was just created, and leads to one that does. */
export function LatestElsewhere({ polled }: { polled: Polled<{ slug: string }[], unknown> }) {
  const { latest } = useLatestLink()
  const [sought, setSought] = useState<string>()
  const seen = useRef<string>(undefined)
  useEffect(() => {
    const timer = setTimeout(() => setSought(latest?.slug), readAgainMs)
    return () => clearTimeout(timer)
  }, [latest])
  const slug = latest?.slug
  // Once seen, it is only missing because it was changed or deleted.
  if (polled.response?.data.some(link => link.slug === slug)) seen.current = slug
  const isElsewhere =
    slug === sought && slug !== seen.current && latest?.list === location.search && polled.isCurrent
  return (
    <div role="status">
      {isElsewhere && (
        <p class="banner hint">
          <span>
            Your new link <bdi>/{slug}</bdi> is not in this list.
          </span>
          <PageLink to={newestList} class="button">
            Show the newest links
          </PageLink>
        </p>
      )}
    </div>
  )
}
