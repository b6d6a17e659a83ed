import { useState } from 'preact/hooks'
import type { NewLink } from './created-link.tsx'
import { CreatedLink } from './created-link.tsx'
import { useLatestLink } from './latest-link.tsx'
import { LinkForm } from './link-form.tsx'

export function CreateLink() {
  const [created, setCreated] = useState<NewLink>()
  const { setLatest } = useLatestLink()
  return (
    <>
      <LinkForm
        created={link => {
          setCreated(link)
          setLatest({ slug: link.slug, list: location.search })
        }}
      />
      <div role="status" class="visually-hidden">
        {created !== undefined && `The link ${created.short_url} is created.`}
      </div>
      {created !== undefined && <CreatedLink key={created.slug} link={created} />}
    </>
  )
}
