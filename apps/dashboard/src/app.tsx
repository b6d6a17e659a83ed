import { useRef, useState } from 'preact/hooks'
import { AccountMenu } from './access/account-menu.tsx'
import { useSession } from './access/session.tsx'
import { SignInDialog, SignInPage } from './access/sign-in.tsx'
import { firstPage } from './address.ts'
import { CreateLink } from './links/create-link.tsx'
import { LatestLinkProvider } from './links/latest-link.tsx'
import { longUrlId } from './links/link-form.tsx'
import { LinkSearch, linkSearchId } from './links/link-search.tsx'
import { LinksPage, ShortenHead } from './links/links-page.tsx'
import { AuditPage } from './manage/audit-page.tsx'
import { KeysPage } from './manage/keys-page.tsx'
import { LinkActions } from './manage/link-actions.tsx'
import { PageLink, useNavigation } from './navigation.tsx'
import { Announcer } from './page/announcer.tsx'
import { Mark } from './page/controls/icons.tsx'
import { NoticeProvider } from './page/controls/notice.tsx'
import { HelpDialog } from './page/help-dialog.tsx'
import { PageTitle } from './page/page-title.tsx'
import { useShortcuts } from './page/shortcuts.ts'
import { ThemeButton } from './page/theme-button.tsx'
import { Warnings } from './page/warnings.tsx'
import { LinkPage } from './report/link-page.tsx'
import { OverviewPage } from './report/overview-page.tsx'

const toLinks = {
  link: undefined,
  view: 'links',
  search: undefined,
  status: undefined,
  tags: [],
  ...firstPage,
} as const
const toOverview = { link: undefined, view: 'overview' } as const

export function App() {
  const { address, go } = useNavigation()
  const { session, problem, hasEnded, allows } = useSession()
  const { link, view, compare } = address
  const isIn = session !== undefined && session.scopes.length > 0
  const isReport = link !== undefined || view === 'overview'
  const [isHelping, setHelping] = useState(false)
  const content = useRef<HTMLElement>(null)
  // What is pressed or typed before the session is read counts, too.
  const mayBeIn = isIn || session === undefined
  const onReport = (action: () => void) => (mayBeIn && isReport ? action : undefined)
  const show = (period: 'day' | 'week' | 'month' | 'year') =>
    onReport(() => go({ period, interval: undefined }))
  useShortcuts({
    '/': () => document.getElementById(linkSearchId)?.focus(),
    '?': () => setHelping(true),
    d: show('day'),
    w: show('week'),
    m: show('month'),
    y: show('year'),
    x: onReport(() => go({ compare: compare === 'off' ? 'previous' : 'off' }, { replace: true })),
    l: () => go(toLinks),
    o: () => (session === undefined || allows('stats:read')) && go(toOverview),
    n: () => {
      if (link !== undefined || view !== 'links') go(toLinks)
      // Once the form exists.
      requestAnimationFrame(() => setTimeout(() => document.getElementById(longUrlId)?.focus()))
    },
  })
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it is a link within the page, but must not add to its history */}
      <a
        class="skip button"
        href="#content"
        onClick={event => {
          event.preventDefault()
          content.current?.focus()
        }}
      >
        Skip to content
      </a>
      <header>
        <PageLink to={toLinks} class="brand">
          <Mark />
          <span>Hopcount</span>
        </PageLink>
        {mayBeIn && (
          <>
            <nav class="views" aria-label="Pages">
              <PageLink to={toLinks} current={link === undefined && view === 'links'}>
                Links
              </PageLink>
              {(session === undefined || allows('stats:read')) && (
                <PageLink to={toOverview} current={link === undefined && view === 'overview'}>
                  Overview
                </PageLink>
              )}
            </nav>
            <LinkSearch />
          </>
        )}
        <div class="header-buttons">
          <AccountMenu />
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
      <main ref={content} id="content" tabIndex={-1}>
        <Warnings problem={problem} />
        {session === undefined && problem === undefined && <p class="visually-hidden">Loading…</p>}
        {session !== undefined && !isIn && (
          <>
            {session.public_shorten && (
              <>
                <ShortenHead />
                <CreateLink />
              </>
            )}
            <SignInPage canShorten={session.public_shorten} />
          </>
        )}
        {isIn && (
          // With another key, nothing of what the one before could see is left.
          <NoticeProvider key={`${session.name} ${session.scopes}`}>
            <LinkActions>
              <LatestLinkProvider>
                <View />
              </LatestLinkProvider>
            </LinkActions>
          </NoticeProvider>
        )}
      </main>
      <Announcer />
      {hasEnded && <SignInDialog />}
      {isHelping && <HelpDialog close={() => setHelping(false)} />}
    </>
  )
}

function View() {
  const { link, view } = useNavigation().address
  const { allows } = useSession()
  if (link !== undefined) return <LinkPage key={link} slug={link} />
  if (view === 'links') return <LinksPage />
  if (!allows(view === 'overview' ? 'stats:read' : 'admin'))
    return (
      <>
        <PageTitle>Not allowed</PageTitle>
        <p class="lead">Your key doesn’t allow this page.</p>
      </>
    )
  if (view === 'overview') return <OverviewPage />
  return view === 'keys' ? <KeysPage /> : <AuditPage />
}
