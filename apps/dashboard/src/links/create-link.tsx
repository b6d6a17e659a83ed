import { useState } from 'preact/hooks'
import type { NewLink } from '../api/shorten.ts'
import { CreatedLink } from './created-link.tsx'
import { LinkForm } from './link-form.tsx'

export function CreateLink() {
  const [created, setCreated] = useState<NewLink>()
  return (
    <>
      <LinkForm created={setCreated} />
      <div role="status" class="visually-hidden">
        {created !== undefined && `The link ${created.short_url} is made.`}
      </div>
      {created !== undefined && <CreatedLink key={created.slug} link={created} />}
    </>
  )
}
