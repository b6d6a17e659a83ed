import { useSession } from '../access/session.tsx'
import { useNavigation } from '../navigation.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { CreateLink } from './create-link.tsx'
import { fillForm } from './link-form.tsx'
import { LinkList } from './list/link-list.tsx'
import { OrphanList } from './orphan-list.tsx'

export function LinksPage() {
  const { allows } = useSession()
  const { address } = useNavigation()
  const canCreate = allows('links:write')
  return (
    <>
      {canCreate ? (
        <div class={address.search === undefined ? 'create' : 'create searching'}>
          <ShortenHead />
          <CreateLink />
        </div>
      ) : (
        <PageTitle title="Hopcount">Links</PageTitle>
      )}
      <LinkList />
      {allows('stats:read') && <OrphanList make={canCreate ? slug => fillForm({ slug }) : undefined} />}
    </>
  )
}

export function ShortenHead() {
  return (
    <>
      <PageTitle title="Hopcount">Shorten a link</PageTitle>
      <p class="lead">Every visit is counted, once.</p>
    </>
  )
}
