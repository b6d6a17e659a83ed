import { usePolled } from '../api/poll.ts'
import type { TopLink } from '../api/stats.ts'
import { topLinksUrl } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'
import { LagBanner, ProblemBanner } from '../page/freshness.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { CreateLink } from './create-link.tsx'
import { TopLinks } from './top-links.tsx'

export function LinksPage() {
  const { address } = useNavigation()
  const polled = usePolled<TopLink[]>(topLinksUrl(address.window, address.after))
  return (
    <>
      <PageTitle title="Hopcount">Shorten a link</PageTitle>
      <p class="lead">Every visit is counted, once.</p>
      <CreateLink />
      <ProblemBanner problem={polled.problem} />
      <LagBanner lagMs={polled.lagMs} />
      <TopLinks polled={polled} />
    </>
  )
}
