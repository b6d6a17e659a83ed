import { useEffect, useRef } from 'preact/hooks'

let isFirst = true

/**
 * The heading of a page, and the title of its tab. After navigation it gets the focus, so that screen readers read it
 * first, unless the user is typing a search.
 */
export function PageTitle({
  children,
  title,
}: {
  children: (string | undefined)[] | string
  title?: string
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  const text = [children].flat().join('')
  useEffect(() => {
    document.title = title ?? `${text} · Hopcount`
    if (!isFirst && !document.activeElement?.matches('[type=search]'))
      heading.current?.focus({ preventScroll: true })
    isFirst = false
  }, [text, title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {text}
    </h1>
  )
}
