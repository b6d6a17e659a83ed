import { useEffect, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import { listen, pageEvents } from '../api/events.ts'
import { readLink } from '../api/links.ts'
import { useNavigation } from '../navigation.tsx'
import type { NewLink } from './created-link.tsx'
import { CreatedLink } from './created-link.tsx'
import { useLatestLink } from './latest-link.tsx'
import { LinkForm } from './link-form.tsx'

export function CreateLink() {
  const { search } = useNavigation().address
  const [created, setCreated] = useState<{ link: NewLink; search: string | undefined }>()
  const { setLatest } = useLatestLink()
  const slug = created?.link.slug
  const { allows } = useSession()
  const readsLinks = allows('links:read')
  // It may be edited or deleted in the list.
  useEffect(() => {
    if (slug === undefined || !readsLinks) return
    return listen(pageEvents, ['changed'], async () => {
      const outcome = await readLink(slug)
      if ('problem' in outcome && outcome.problem.status !== 404) return
      const link = 'data' in outcome && outcome.data.deleted_at === null ? outcome.data : undefined
      setCreated(before => (before?.link.slug === slug ? link && { ...before, link } : before))
    })
  }, [slug, readsLinks])
  return (
    <>
      <LinkForm
        created={link => {
          setCreated({ link, search })
          setLatest({ slug: link.slug, list: location.search })
        }}
      />
      <div role="status" class="visually-hidden">
        {created !== undefined && `The link ${created.link.short_url} has been created.`}
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
