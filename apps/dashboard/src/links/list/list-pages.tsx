import { useEffect } from 'preact/hooks'
import type { Address } from '../../address.ts'
import { firstPage } from '../../address.ts'
import type { Polled } from '../../api/poll.ts'
import { PageLink, useNavigation } from '../../navigation.tsx'
import { counted, number } from '../../text/numbers.ts'

/** Ways to the pages before and after this one. */
export function ListPages({ polled, address }: { polled: Polled<unknown, unknown>; address: Address }) {
  const { go } = useNavigation()
  const { isCurrent, prev, next } = polled
  const { page } = address
  const isFirst = address.after === undefined && address.until === undefined
  const [until, after] = [prev?.get('before'), next?.get('after')].map(place => place ?? undefined)
  // By going back, the top is reached at a page that ends somewhere; links that are created are not on it.
  const isTop = isCurrent && address.until !== undefined && prev === undefined
  useEffect(() => {
    if (isTop) go(firstPage, { replace: true })
  }, [isTop])
  return (
    <nav class="actions pages" aria-label="Pages of the list">
      {!isFirst && page > 1 && <span class="muted">Page {number(page)}</span>}
      {isCurrent && until !== undefined && (
        <PageLink to={{ after: undefined, until, page: Math.max(1, page - 1) }} class="button">
          Previous
        </PageLink>
      )}
      {!isFirst && prev === undefined && (
        <PageLink to={firstPage} class="button">
          First page
        </PageLink>
      )}
      {isCurrent && after !== undefined && (
        <PageLink to={{ after, until: undefined, page: page + 1 }} class="button">
          Next
        </PageLink>
      )}
    </nav>
  )
}

/** How many links a list has, for screen readers. */
export function resultInWords({ count, isExact }: { count: number; isExact: boolean }, page: number): string {
  if (count === 0 && !isExact) return 'None found so far'
  const links = `${isExact ? '' : 'at least '}${counted(count, 'link')}`
  return page > 1 ? `${links}, page ${page}` : links
}
