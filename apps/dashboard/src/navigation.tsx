import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useEffect, useMemo, useState } from 'preact/hooks'
import type { Address } from './address.ts'
import { newReport, readAddress, writeAddress } from './address.ts'
import { focusHeading } from './page/keep-focus.ts'
import { pushEntry, returnToEntry } from './page/kept-entry.ts'

interface Navigation {
  address: Address
  /** Changes parts of the address. Steps that the back button should undo are pushed, others replace the current entry. */
  go: (change: Partial<Address>, options?: { replace?: boolean }) => void
}

const NavigationContext = createContext<Navigation | undefined>(undefined)

export function NavigationProvider({ children }: { children: ComponentChildren }) {
  const [search, setSearch] = useState(location.search)
  useEffect(() => {
    const read = () => {
      returnToEntry()
      setSearch(location.search)
    }
    addEventListener('popstate', read)
    return () => removeEventListener('popstate', read)
  }, [])
  const navigation = useMemo<Navigation>(() => {
    const address = readAddress(search)
    return {
      address,
      go(change, options) {
        const target = changed(address, change)
        const written = writeAddress(target)
        if (options?.replace) history.replaceState(history.state, '', written)
        else pushEntry(written)
        if (isOther(address, target)) scrollTo(0, 0)
        setSearch(location.search)
      },
    }
  }, [search])
  return <NavigationContext.Provider value={navigation}>{children}</NavigationContext.Provider>
}

export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext)
  if (navigation === undefined) throw new Error('outside of NavigationProvider')
  return navigation
}

/** A real link, which can be copied or opened in a new tab. A plain click navigates without loading the page. */
export function PageLink(props: {
  to: Partial<Address>
  class?: string
  current?: boolean
  children: ComponentChildren
}) {
  const { address, go } = useNavigation()
  return (
    <a
      class={props.class}
      href={writeAddress(changed(address, props.to))}
      aria-current={props.current ? 'page' : undefined}
      onClick={event => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        const paged = event.currentTarget.closest('nav')?.closest('section')
        go(props.to)
        if (paged) focusHeading(paged)
      }}
    >
      {props.children}
    </a>
  )
}

const ranges = ['period', 'from', 'to', 'filters'] satisfies (keyof Address)[]

function changed(address: Address, change: Partial<Address>): Address {
  const target = { ...address, ...change }
  if (isOther(address, target)) return { ...target, ...newReport, ...change }
  // A page of visits belongs to its range.
  return ranges.some(name => name in change) ? { ...target, before: undefined, ...change } : target
}

function isOther(address: Address, target: Address): boolean {
  return target.link !== address.link || target.view !== address.view
}
