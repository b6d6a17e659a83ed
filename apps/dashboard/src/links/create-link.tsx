import { useState } from 'preact/hooks'
import { useNavigation } from '../navigation.tsx'
import type { NewLink } from './created-link.tsx'
import { CreatedLink } from './created-link.tsx'
import { useLatestLink } from './latest-link.tsx'
import { LinkForm } from './link-form.tsx'

export function CreateLink() {
  const { search } = useNavigation().address
  const [created, setCreated] = useState<{ link: NewLink; search: string | undefined }>()
  const { setLatest } = useLatestLink()
  return (
    <>
      <LinkForm
        created={link => {
          setCreated({ link, search })
          setLatest({ slug: link.slug, list: location.search })
        }}
      />
      <div role="status" class="visually-hidden">
        {created !== undefined && `The link ${created.link.short_url} is created.`}
      </div>
      {created !== undefined && (
        // Above what is searched for, it would be in the way.
        <div hidden={created.search !== search}>
          <CreatedLink key={created.link.slug} link={created.link} />
        </div>
      )}
    </>
  )
}
