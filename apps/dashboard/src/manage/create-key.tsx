import { useRef, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { CreatedKey } from '../api/keys.ts'
import { createKey } from '../api/keys.ts'
import type { Problem } from '../api/problem.ts'
import { CopyButton } from '../page/controls/copy-button.tsx'
import { FormField } from '../page/controls/form-field.tsx'
import { fieldDetail, fieldProblem, instantOf } from './link-fields.ts'

const scopes = [
  ['links:read', 'see links'],
  ['links:write', 'create and change links, and see them'],
  ['stats:read', 'see statistics'],
  ['admin', 'everything, also keys and the audit'],
] as const
const fields = ['name', 'scopes', 'expires_at', 'requests_per_minute']

export function CreateKey() {
  const form = useRef<HTMLFormElement>(null)
  const [created, setCreated] = useState<CreatedKey>()
  const [problem, setProblem] = useState<Problem>()
  const [isSending, setSending] = useState(false)

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = form.current
    if (element === null || isSending) return
    setSending(true)
    const wish = readForm(element)
    const outcome = isProblem(wish) ? wish : await createKey(wish)
    setSending(false)
    if ('data' in outcome) {
      element.reset()
      setProblem(undefined)
      setCreated(outcome.data)
    } else {
      setProblem(outcome.problem)
      const first = fields.find(name => fieldDetail(outcome.problem, name) !== undefined)
      if (first !== undefined) document.getElementById(`key-${first}`)?.focus()
    }
  }

  const isOfAField = fields.some(name => fieldDetail(problem, name) !== undefined)
  return (
    <>
      <form ref={form} class="card key-form" onSubmit={send} noValidate aria-label="New key">
        <FormField
          id="key-name"
          name="name"
          label="Name"
          hint="who or what it is for"
          problem={fieldDetail(problem, 'name')}
        >
          {attributes => <input {...attributes} type="text" autocomplete="off" />}
        </FormField>
        <fieldset class="scopes" aria-describedby="key-scopes-problem">
          <legend>May</legend>
          {scopes.map(([scope, what], i) => (
            <label key={scope} class="check">
              <input
                id={i === 0 ? 'key-scopes' : undefined}
                type="checkbox"
                name="scopes"
                value={scope}
                defaultChecked={scope === 'links:write' || scope === 'stats:read'}
              />
              <span>
                {what} <code class="muted">{scope}</code>
              </span>
            </label>
          ))}
          <p id="key-scopes-problem" class="field-problem" aria-live="polite">
            {fieldDetail(problem, 'scopes')}
          </p>
        </fieldset>
        <div class="pair">
          <FormField
            id="key-expires_at"
            name="expires_at"
            label="Expires"
            hint={`optional, ${browserZone().replaceAll('_', ' ')}`}
            problem={fieldDetail(problem, 'expires_at')}
          >
            {attributes => <input {...attributes} type="datetime-local" max="9999-12-31T23:59" />}
          </FormField>
          <FormField
            id="key-requests_per_minute"
            name="requests_per_minute"
            label="Requests per minute"
            hint="optional"
            problem={fieldDetail(problem, 'requests_per_minute')}
          >
            {attributes => <input {...attributes} type="text" inputMode="numeric" autocomplete="off" />}
          </FormField>
        </div>
        <div role="alert">
          {problem !== undefined && !isOfAField && <p class="banner danger">{problem.detail}</p>}
        </div>
        <div class="actions">
          <button type="submit" class="primary" aria-disabled={isSending}>
            {isSending ? 'Creating…' : 'Create key'}
          </button>
        </div>
      </form>
      {created !== undefined && (
        <NewKey
          key={created.id}
          name={created.name}
          secret={created.key}
          hide={() => setCreated(undefined)}
        />
      )}
    </>
  )
}

/** The only time that the key is seen: the server keeps no more than its hash. */
function NewKey({ name, secret, hide }: { name: string; secret: string; hide: () => void }) {
  return (
    <section class="card created" aria-label="Your new key">
      <div>
        <p class="muted">
          The key <bdi>{name}</bdi>
        </p>
        <p class="secret">
          <code>{secret}</code>
        </p>
        <p class="banner warning">Copy it now: it is not shown again.</p>
        <div class="actions">
          <CopyButton text={secret} label="Copy key" focused />
          <button type="button" onClick={hide}>
            Hide it
          </button>
        </div>
      </div>
    </section>
  )
}

function isProblem(wish: object): wish is { problem: Problem } {
  return 'problem' in wish
}

/** The request body, or a problem for which the server would have no friendlier words. */
function readForm(form: HTMLFormElement): Record<string, unknown> | { problem: Problem } {
  const data = new FormData(form)
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const [name, scopes, expiresAt] = [text('name'), data.getAll('scopes'), text('expires_at')]
  const limit = text('requests_per_minute').replace(/[\s,]/g, '')
  const expiry = form.elements.namedItem('expires_at')
  if (name === '') return fieldProblem('name', 'Please enter a name.')
  if (scopes.length === 0) return fieldProblem('scopes', 'Please choose at least one.')
  if (expiry instanceof HTMLInputElement && expiry.validity.badInput)
    return fieldProblem('expires_at', 'Please enter both date and time, or neither.')
  if (!/^\d{0,15}$/.test(limit))
    return fieldProblem('requests_per_minute', 'Please enter a whole number, or nothing.')
  return {
    name,
    scopes,
    ...(expiresAt !== '' && { expires_at: instantOf(expiresAt) }),
    ...(limit !== '' && { requests_per_minute: Number(limit) }),
  }
}
