import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useState } from 'preact/hooks'

interface Latest {
  slug: string
  /** The query of the address at which it was created. */
  list: string
}

interface LatestLink {
  /** The link that was created last on this page. Lists highlight it, also after other views were visited. */
  latest: Latest | undefined
  setLatest: (link: Latest) => void
}

const LatestLinkContext = createContext<LatestLink>({ latest: undefined, setLatest: () => {} })

export function LatestLinkProvider({ children }: { children: ComponentChildren }) {
  const [latest, setLatest] = useState<Latest>()
  return <LatestLinkContext.Provider value={{ latest, setLatest }}>{children}</LatestLinkContext.Provider>
}

export function useLatestLink(): LatestLink {
  return useContext(LatestLinkContext)
}
