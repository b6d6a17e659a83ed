import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { pageEvents, tell } from '../api/events.ts'
import type { Problem } from '../api/problem.ts'
import type { Scope, Session } from '../api/session.ts'
import { readSession, signOut } from '../api/session.ts'
import { forgetEntries } from '../page/kept-entry.ts'

interface SessionState {
  /** Undefined until the server has responded. */
  session: Session | undefined
  /** Why it can't be read; it is tried again. */
  problem: Problem | undefined
  /** A session that ended while the page was in use: what is shown stays until its user signs in again or gives up. */
  hasEnded: boolean
  /** Whether the user may do what needs this scope. */
  allows: (scope: Scope) => boolean
  signedIn: (session: Session) => void
  giveUp: () => void
  signOut: () => Promise<Problem | undefined>
}

const SessionContext = createContext<SessionState | undefined>(undefined)
const retryMs = 2_000
/** Reading a session extends it, as long as its page is looked at. */
const extendMs = 30 * 60_000

export function SessionProvider({ children }: { children: ComponentChildren }) {
  const [session, setSession] = useState<Session>()
  const [problem, setProblem] = useState<Problem>()
  const [ended, setEnded] = useState<Session>()
  const current = useRef<Session>(undefined)
  current.current = session
  const endedSession = useRef<Session>(undefined)
  endedSession.current = ended

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isReading = false

    async function read(): Promise<void> {
      if (isReading) return
      isReading = true
      clearTimeout(timer)
      const outcome = await readSession()
      isReading = false
      if ('problem' in outcome) {
        setProblem(outcome.problem)
        timer = setTimeout(read, retryMs)
        return
      }
      setProblem(undefined)
      const before = current.current
      if (before?.signed_in && !outcome.data.signed_in && outcome.data.access === 'keys')
        setEnded(outcome.data)
      else {
        setSession(outcome.data)
        setEnded(undefined)
      }
    }

    /** Another tab may have signed in meanwhile. */
    function readIfSignedOut(): void {
      const { access, signed_in } = endedSession.current ?? current.current ?? {}
      if (!document.hidden && access === 'keys' && !signed_in) void read()
    }

    void read()
    const extension = setInterval(() => {
      if (!document.hidden && current.current?.signed_in) void read()
    }, extendMs)
    pageEvents.addEventListener('unauthorized', read)
    document.addEventListener('visibilitychange', readIfSignedOut)
    return () => {
      clearTimeout(timer)
      clearInterval(extension)
      pageEvents.removeEventListener('unauthorized', read)
      document.removeEventListener('visibilitychange', readIfSignedOut)
    }
  }, [])

  const state = useMemo<SessionState>(
    () => ({
      session,
      problem: session === undefined ? problem : undefined,
      hasEnded: ended !== undefined,
      allows: scope => session !== undefined && allows(session, scope),
      signedIn(started) {
        setSession(started)
        setEnded(undefined)
        tell('changed')
      },
      giveUp() {
        if (ended !== undefined) setSession(ended)
        setEnded(undefined)
      },
      async signOut() {
        const outcome = await signOut()
        if ('problem' in outcome && outcome.problem.status !== 401) return outcome.problem
        setEnded(undefined)
        forgetEntries()
        setSession(
          before => before && { ...before, signed_in: false, name: null, scopes: [], expires_at: null },
        )
        return undefined
      },
    }),
    [session, problem, ended],
  )
  return <SessionContext.Provider value={state}>{children}</SessionContext.Provider>
}

export function useSession(): SessionState {
  const state = useContext(SessionContext)
  if (state === undefined) throw new Error('outside of SessionProvider')
  return state
}

/** As the API decides: `admin` allows everything, and `links:write` includes `links:read`. */
function allows({ scopes }: Session, scope: Scope): boolean {
  return (
    scopes.includes(scope) ||
    scopes.includes('admin') ||
    (scope === 'links:read' && scopes.includes('links:write'))
  )
}
