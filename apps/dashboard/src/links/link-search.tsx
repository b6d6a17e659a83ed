import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import { isSlug } from '../address.ts'
import { linkPath } from '../api/links.ts'
import { reportPath, searchedText } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'

export const linkSearchId = 'link-search'

const typingPauseMs = 250

/**
 * Finds links: the newest ones by any part of their name, target or title, those ranked by visits by the start of their
 * name or by their complete long URL. On the links page the list is filtered as the
 * user types. Enter opens the link with exactly this name, or shows the list.
 */
export function LinkSearch() {
  const { address, go } = useNavigation()
  const { allows } = useSession()
  const readsLinks = allows('links:read')
  const isOnList = address.link === undefined && address.view === 'links'
  const shown = isOnList ? (address.search ?? '') : ''
  const [text, setText] = useState(shown)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const field = useRef<HTMLInputElement>(null)
  // Results of earlier lookups are ignored.
  const lastAsked = useRef(0)
  // The address has changed in another way, such as the back button.
  useEffect(() => {
    clearTimeout(timer.current)
    lastAsked.current++
    if (shown !== text.trim()) setText(shown)
  }, [shown, isOnList])

  const list = (search: string) => ({
    link: undefined,
    view: 'links' as const,
    search: search.trim() || undefined,
    after: undefined,
  })

  function type(typed: string): void {
    setText(typed)
    clearTimeout(timer.current)
    lastAsked.current++
    if (isOnList) timer.current = setTimeout(() => go(list(typed), { replace: true }), typingPauseMs)
  }

  async function find(): Promise<void> {
    clearTimeout(timer.current)
    if (text.trim() === '') return go(list(''))
    const requested = ++lastAsked.current
    const slug = await exactSlug(text, readsLinks)
    if (requested !== lastAsked.current) return
    if (slug === undefined) return go(list(text))
    setText('')
    field.current?.blur()
    go({ link: slug })
  }

  return (
    <search>
      <form
        class="link-search"
        onSubmit={event => {
          event.preventDefault()
          void find()
        }}
      >
        <input
          ref={field}
          id={linkSearchId}
          type="search"
          aria-label="Search links"
          placeholder="Search links…"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          enterkeyhint="search"
          maxLength={2_048}
          value={text}
          onInput={event => type(event.currentTarget.value)}
        />
      </form>
    </search>
  )
}

/** The link with exactly this name or short URL, or the only link to this long URL. */
async function exactSlug(text: string, readsLinks: boolean): Promise<string | undefined> {
  const searched = searchedText(text)
  try {
    const slug = searched.replace(/\/+$/, '')
    if (isSlug(slug))
      return (await fetchData(readsLinks ? linkPath(slug) : reportPath(slug))) !== undefined
        ? slug
        : undefined
    // A URL, of which the API knows whether it is one of its own; the scheme may be missing.
    if (/^\S+[./]\S/.test(searched)) {
      const query = new URLSearchParams({ search: searched, limit: '2' })
      const found = await fetchData<{ slug: string }[]>(`${readsLinks ? '/api/links' : '/stats'}?${query}`)
      return found?.length === 1 ? found[0]?.slug : undefined
    }
  } catch {
    // The list says why.
  }
  return undefined
}

async function fetchData<T>(url: string): Promise<T | undefined> {
  const response = await fetch(url)
  return response.ok ? ((await response.json()) as T) : undefined
}
