import { useSession } from '../access/session.tsx'
import { useNavigation } from '../navigation.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { CreateLink } from './create-link.tsx'
import { fillSlug } from './link-form.tsx'
import { NewestLinks, RankedLinks } from './link-list.tsx'
import { shownSort } from './list-controls.tsx'
import { OrphanList } from './orphan-list.tsx'

export function LinksPage() {
  const { allows } = useSession()
  const { address } = useNavigation()
  const canCreate = allows('links:write')
  return (
    <>
      {canCreate ? (
        <>
          <ShortenHead />
          <CreateLink />
        </>
      ) : (
        <PageTitle title="Hopcount">Links</PageTitle>
      )}
      {shownSort(address.sort, allows) === 'newest' ? <NewestLinks /> : <RankedLinks />}
      {allows('stats:read') && <OrphanList make={canCreate ? fillSlug : undefined} />}
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
