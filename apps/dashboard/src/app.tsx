import { useState } from 'preact/hooks'
import { longUrlId } from './links/link-form.tsx'
import { LinkSearch, linkSearchId } from './links/link-search.tsx'
import { LinksPage } from './links/links-page.tsx'
import { PageLink, useNavigation } from './navigation.tsx'
import { HelpDialog } from './page/help-dialog.tsx'
import { Mark } from './page/icons.tsx'
import { useShortcuts } from './page/shortcuts.ts'
import { ThemeButton } from './page/theme-button.tsx'
import { Warnings } from './page/warnings.tsx'
import { LinkPage } from './report/link-page.tsx'
import { OverviewPage } from './report/overview-page.tsx'

const toLinks = { link: undefined, view: 'links', search: undefined, after: undefined } as const
const toOverview = { link: undefined, view: 'overview' } as const

export function App() {
  const { address, go } = useNavigation()
  const { link, view, compare } = address
  const isReport = link !== undefined || view === 'overview'
  const [isHelping, setHelping] = useState(false)
  const onReport = (action: () => void) => (isReport ? action : undefined)
  const show = (period: 'day' | 'week' | 'month' | 'year') =>
    onReport(() => go({ period, interval: undefined }))
  useShortcuts({
    '/': () => document.getElementById(linkSearchId)?.focus(),
    '?': () => setHelping(true),
    d: show('day'),
    w: show('week'),
    m: show('month'),
    y: show('year'),
    x: onReport(() => go({ compare: !compare }, { replace: true })),
    l: () => go(toLinks),
    o: () => go(toOverview),
    n: () => {
      if (isReport) go(toLinks)
      // Once the form exists.
      requestAnimationFrame(() => setTimeout(() => document.getElementById(longUrlId)?.focus()))
    },
  })
  return (
    <>
      <header>
        <PageLink to={toLinks} class="brand">
          <Mark />
          <span>Hopcount</span>
        </PageLink>
        <nav class="views" aria-label="Pages">
          <PageLink to={toLinks} current={!isReport}>
            Links
          </PageLink>
          <PageLink to={toOverview} current={link === undefined && view === 'overview'}>
            Overview
          </PageLink>
        </nav>
        <LinkSearch />
        <div class="header-buttons">
          <ThemeButton />
          <button
            type="button"
            class="icon"
            aria-label="Keyboard help"
            title="Keyboard help"
            onClick={() => setHelping(true)}
          >
            ?
          </button>
        </div>
      </header>
      <main>
        <Warnings />
        {link !== undefined ? (
          <LinkPage key={link} slug={link} />
        ) : view === 'overview' ? (
          <OverviewPage />
        ) : (
          <LinksPage />
        )}
      </main>
      {isHelping && <HelpDialog close={() => setHelping(false)} />}
    </>
  )
}
