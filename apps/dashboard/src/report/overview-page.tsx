import { PageLink } from '../navigation.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { Report } from './report.tsx'
import { useReportData } from './report-data.ts'
import { TopLinks } from './top-links.tsx'

/** All links together. */
export function OverviewPage() {
  const data = useReportData(undefined)
  const stats = data.stats.response?.data
  return (
    <>
      <PageTitle>Overview</PageTitle>
      <p class="lead">All links together.</p>
      {stats !== undefined && 'links' in stats && stats.links === 0 && (
        <p class="banner hint">
          There are no links yet.
          <PageLink to={{ view: 'links' }} class="button">
            Create the first one
          </PageLink>
        </p>
      )}
      <Report slug={undefined} data={data} topLinks={<TopLinks data={data} />} />
    </>
  )
}
