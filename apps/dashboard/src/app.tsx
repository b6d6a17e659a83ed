import { useState } from 'preact/hooks'
import { LinkPage } from './link/link-page.tsx'
import { longUrlId } from './links/link-form.tsx'
import { LinksPage } from './links/links-page.tsx'
import { PageLink, useNavigation } from './navigation.tsx'
import { HelpDialog } from './page/help-dialog.tsx'
import { Mark } from './page/icons.tsx'
import { LinkSearch, linkSearchId } from './page/link-search.tsx'
import { useShortcuts } from './page/shortcuts.ts'
import { ThemeButton } from './page/theme-button.tsx'

export function App() {
  const { address, go } = useNavigation()
  const { link } = address
  const [isHelping, setHelping] = useState(false)
  const onLinkPage = (action: () => void) => (link === undefined ? undefined : action)
  useShortcuts({
    '/': () => document.getElementById(link === undefined ? longUrlId : linkSearchId)?.focus(),
    '?': () => setHelping(true),
    d: onLinkPage(() => go({ period: 'day' })),
    w: onLinkPage(() => go({ period: 'week' })),
    m: onLinkPage(() => go({ period: 'month' })),
    y: onLinkPage(() => go({ period: 'year' })),
  })
  return (
    <>
      <header>
        <PageLink to={{ link: undefined, after: undefined }} class="brand">
          <Mark />
          <span>Hopcount</span>
        </PageLink>
        <LinkSearch />
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
      </header>
      <main>{link === undefined ? <LinksPage /> : <LinkPage key={link} slug={link} />}</main>
      {isHelping && <HelpDialog close={() => setHelping(false)} />}
    </>
  )
}
