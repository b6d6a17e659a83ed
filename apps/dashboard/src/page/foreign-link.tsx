/**
 * An address that somebody else chose, as text; a link where it is http or https, and nothing that could run. `bdi`
 * keeps characters that turn the direction of writing from turning anything else around.
 */
export function ForeignLink({ url }: { url: string }) {
  const text = <bdi title={url}>{url}</bdi>
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) return <span class="foreign">{text}</span>
  return (
    <a class="foreign" href={url} rel="noreferrer noopener nofollow" target="_blank">
      {text}
    </a>
  )
}
