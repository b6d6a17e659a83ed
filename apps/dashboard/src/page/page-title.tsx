import { useEffect, useRef } from 'preact/hooks'

let isFirst = true

/** The heading of a page, and the title of its tab. Of a page that was gone to, it takes the focus: it is read first. */
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
    if (!isFirst) heading.current?.focus({ preventScroll: true })
    isFirst = false
  }, [text, title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {text}
    </h1>
  )
}
