import { useState } from 'preact/hooks'
import { shownTarget } from '../text/shown-target.ts'

/**
 * An untrusted URL as text; a link only if it is http or https, so that nothing can run. `bdi` keeps bidi control
 * characters from affecting the text around it.
 */
export function ForeignLink({ url, length }: { url: string; length?: number | undefined }) {
  const shown = shownTarget(url)
  const text = <bdi title={url}>{length === undefined ? shown : `${shown.slice(0, length)}…`}</bdi>
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) return <span class="foreign">{text}</span>
  return (
    <a class="foreign" href={url} rel="noreferrer noopener nofollow" target="_blank">
      {text}
    </a>
  )
}

/** About five lines on a phone. */
const foldedLength = 180

/** A very long URL unfolds. */
export function FoldedLink({ url }: { url: string }) {
  const [isOpen, setOpen] = useState(false)
  // Folding away a few characters would gain nothing.
  const canFold = url.length > 1.25 * foldedLength
  return (
    <>
      <ForeignLink url={url} length={canFold && !isOpen ? foldedLength : undefined} />
      {canFold && (
        <button
          type="button"
          class="unfold"
          aria-expanded={isOpen}
          aria-label={isOpen ? 'Show less of the target' : 'Show all of the target'}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Show less' : 'Show all'}
        </button>
      )}
    </>
  )
}
