import { usePolled } from '../api/poll.ts'
import type { ListedLink } from '../api/stats.ts'
import { linksUrl } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'
import { LagBanner, ProblemBanner } from '../page/freshness.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { CreateLink } from './create-link.tsx'
import { fillSlug } from './link-form.tsx'
import { LinkList } from './link-list.tsx'
import { OrphanList } from './orphan-list.tsx'

export function LinksPage() {
  const { address } = useNavigation()
  const polled = usePolled<ListedLink[]>({ url: linksUrl(address), about: undefined })
  return (
    <>
      <PageTitle title="Hopcount">Shorten a link</PageTitle>
      <p class="lead">Every visit is counted, once.</p>
      <CreateLink />
      <ProblemBanner problem={polled.problem} />
      <LagBanner lagMs={polled.lagMs} />
      <LinkList polled={polled} />
      <OrphanList make={fillSlug} />
    </>
  )
}
