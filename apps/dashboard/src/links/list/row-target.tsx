import { useState } from 'preact/hooks'
import { shownTarget } from '../../text/shown-target.ts'
import { indexOfFound, Marked, withoutScheme } from './marked.tsx'

/** About three lines on a phone. */
const foldedLength = 110

/** Where a link leads, in full: it wraps. A very long one unfolds, by itself if a search has found what is folded. */
export function RowTarget({ slug, longUrl, found }: { slug: string; longUrl: string; found: string[] }) {
  const [chosen, setOpen] = useState<boolean>()
  const text = withoutScheme(shownTarget(longUrl))
  // Folding away a few characters would gain nothing.
  const canFold = text.length > 1.25 * foldedLength
  const isOpen = !canFold || (chosen ?? indexOfFound(text, found) > foldedLength - 20)
  return (
    <div class="target">
      <bdi>
        <Marked text={isOpen ? text : `${text.slice(0, foldedLength)}…`} found={found} />
      </bdi>
      {canFold && (
        <button
          type="button"
          class="unfold"
          aria-expanded={isOpen}
          aria-label={`${isOpen ? 'Show less' : 'Show all'} of the target of ${slug}`}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Show less' : 'Show all'}
        </button>
      )}
    </div>
  )
}
