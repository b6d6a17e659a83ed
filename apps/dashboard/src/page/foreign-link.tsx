import { shownTarget } from '../text/shown-target.ts'

/**
 * An untrusted URL as text; a link only if it is http or https, so that nothing can run. `bdi` keeps bidi control
 * characters from affecting the text around it.
 */
export function ForeignLink({ url }: { url: string }) {
  const text = <bdi title={url}>{shownTarget(url)}</bdi>
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) return <span class="foreign">{text}</span>
  return (
    <a class="foreign" href={url} rel="noreferrer noopener nofollow" target="_blank">
      {text}
    </a>
  )
}
