import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import type { View } from '../address.ts'
import { firstPage, isSlug } from '../address.ts'
import { linkPath } from '../api/links.ts'
import { load } from '../api/load.ts'
import { reportPath, searchedText } from '../api/stats.ts'
import { useNavigation } from '../navigation.tsx'

export const linkSearchId = 'link-search'

const typingPauseMs = 200

/**
 * Finds links: the newest ones by any part of their name, target or title, those ranked by visits by the start of their
 * name or by their complete long URL. The list follows what is typed, on other pages too. Enter opens the link with
 * exactly this name, or shows the list.
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
  const lastLookup = useRef(0)
  /** Where the field is, and the search that it has put into the address. */
  const here = keyOf(address.link, address.view, shown)
  const known = useRef(here)
  // Only when the address has changed in another way, such as the back button: by now, more may have been typed.
  useEffect(() => {
    if (here === known.current) return
    known.current = here
    clearTimeout(timer.current)
    lastLookup.current++
    setText(shown)
  }, [here])

  function showList(typed: string): void {
    clearTimeout(timer.current)
    const search = typed.trim()
    known.current = keyOf(undefined, 'links', search)
    go({ link: undefined, view: 'links', search: search || undefined, ...firstPage }, { replace: isOnList })
  }
  /** After a pause or a lookup, the address may be another one. */
  const showListNow = useRef(showList)
  showListNow.current = showList

  function type(typed: string): void {
    setText(typed)
    clearTimeout(timer.current)
    lastLookup.current++
    if (isOnList || typed.trim() !== '')
      timer.current = setTimeout(() => showListNow.current(typed), typingPauseMs)
  }

  async function find(): Promise<void> {
    clearTimeout(timer.current)
    if (text.trim() === '') return showList('')
    const lookup = ++lastLookup.current
    const slug = await exactSlug(text, readsLinks)
    if (lookup !== lastLookup.current) return
    if (slug === undefined) return showListNow.current(text)
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

function keyOf(link: string | undefined, view: View, search: string): string {
  return JSON.stringify([link, view, search])
}

/** The link with exactly this name or short URL, or the only link to this long URL. */
async function exactSlug(text: string, readsLinks: boolean): Promise<string | undefined> {
  const searched = searchedText(text)
  const slug = searched.replace(/\/+$/, '')
  if (isSlug(slug))
    return (await fetchData(readsLinks ? linkPath(slug) : reportPath(slug))) !== undefined ? slug : undefined
  // A URL, of which the API knows whether it is one of its own; the scheme may be missing.
  if (/^\S+[./]\S/.test(searched)) {
    const query = new URLSearchParams({ search: searched, limit: '2' })
    const found = await fetchData<{ slug: string }[]>(`${readsLinks ? '/api/links' : '/stats'}?${query}`)
    return found?.length === 1 ? found[0]?.slug : undefined
  }
  return undefined
}

const waitMs = 5_000

/** Undefined also after a failure: the list says why. */
async function fetchData<T>(url: string): Promise<T | undefined> {
  const loaded = await load(url, {}, waitMs)
  return 'problem' in loaded ? undefined : (loaded.data as T)
}
