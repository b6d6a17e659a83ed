import { useEffect, useRef, useState } from 'preact/hooks'
import type { Problem } from '../api/problem.ts'
import { signIn } from '../api/session.ts'
import { Dialog } from '../page/controls/dialog.tsx'
import { PageTitle } from '../page/page-title.tsx'
import { useSession } from './session.tsx'

/** In place of the page, for those who aren't signed in. */
export function SignInPage({ canShorten }: { canShorten: boolean }) {
  return (
    <>
      {canShorten ? <h2 class="apart">Sign in</h2> : <PageTitle>Sign in</PageTitle>}
      <p class="lead">{canShorten ? 'Links and their statistics' : 'This page'} can be used with a key.</p>
      <section class="card sign-in" aria-label="Sign in">
        <SignInForm focused={!canShorten} />
      </section>
    </>
  )
}

/** Above the page, where the session ended while it was in use: nothing that was typed is lost. */
export function SignInDialog() {
  const { giveUp } = useSession()
  return (
    <Dialog title="Your session has ended" close={giveUp}>
      <p class="muted">Sign in again to go on where you were.</p>
      <SignInForm focused />
    </Dialog>
  )
}

/** The key goes to the server and nowhere else: neither state nor storage keeps it. */
function SignInForm({ focused }: { focused: boolean }) {
  const { signedIn } = useSession()
  const field = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<Problem>()
  const [isSending, setSending] = useState(false)
  useEffect(() => {
    if (focused) field.current?.focus()
  }, [])

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const input = field.current
    if (input === null || isSending) return
    setSending(true)
    const outcome = await signIn(input.value.trim())
    setSending(false)
    if ('data' in outcome) {
      input.value = ''
      return signedIn(outcome.data)
    }
    setProblem(outcome.problem)
    input.focus()
    input.select()
  }

  return (
    <form class="stacked" onSubmit={send} noValidate>
      <div class="field">
        <label for="key">Key</label>
        <input
          ref={field}
          id="key"
          type="password"
          autocomplete="current-password"
          autocapitalize="none"
          spellcheck={false}
          aria-invalid={problem?.status === 401}
          aria-describedby="key-problem key-hint"
          required
        />
        <p id="key-problem" class="field-problem" role="alert">
          {problem !== undefined && describe(problem)}
        </p>
        <p id="key-hint" class="muted small-text">
          It begins with <code>hop_</code>. Whoever runs this service creates keys.
        </p>
      </div>
      <div class="actions">
        <button type="submit" class="primary" aria-disabled={isSending}>
          {isSending ? 'Signing in…' : 'Sign in'}
        </button>
      </div>
    </form>
  )
}

/** 401 does not tell whether a key is unknown, expired or revoked. */
function describe({ status, detail }: Problem): string {
  return status === 401 ? 'This key is not valid.' : detail
}
