import { useEffect, useRef, useState } from 'preact/hooks'
import { isSlug } from '../address.ts'
import type { ListedLink } from '../api/stats.ts'
import { reportPath, searchedText } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'

export const linkSearchId = 'link-search'

const typingPauseMs = 250

/**
 * Finds links by the start of their name or by their complete long URL. On the links page the list is filtered as the
 * user types. Enter opens the link with exactly this name, or shows the list.
 */
export function LinkSearch() {
  const { address, go } = useNavigation()
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
    const slug = await exactSlug(text)
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
async function exactSlug(text: string): Promise<string | undefined> {
  const searched = searchedText(text)
  try {
    if (/^https?:/i.test(searched)) {
      const found = await fetchData<ListedLink[]>(
        `/stats?${new URLSearchParams({ search: searched, limit: '2' })}`,
      )
      return found?.length === 1 ? found[0]?.slug : undefined
    }
    const slug = searched.replace(/[?#].*$|\/+$/g, '').replace(/^.*\//, '')
    return isSlug(slug) && (await fetchData(reportPath(slug))) !== undefined ? slug : undefined
  } catch {
    return undefined
  }
}

async function fetchData<T>(url: string): Promise<T | undefined> {
  const response = await fetch(url)
  return response.ok ? ((await response.json()) as T) : undefined
}
