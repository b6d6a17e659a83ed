import { useRef, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Key } from '../api/keys.ts'
import { createKey } from '../api/keys.ts'
import type { Problem } from '../api/problem.ts'
import { CopyButton } from '../page/copy-button.tsx'
import { FormField } from '../page/form-field.tsx'
import { instantOf } from './link-fields.ts'

const scopes = [
  ['links:read', 'see links'],
  ['links:write', 'create and change links, and see them'],
  ['stats:read', 'see statistics'],
  ['admin', 'everything, also keys and the audit'],
] as const
const fields = ['name', 'scopes', 'expires_at', 'requests_per_minute']

export function CreateKey() {
  const form = useRef<HTMLFormElement>(null)
  const [created, setCreated] = useState<Key & { key: string }>()
  const [problem, setProblem] = useState<Problem>()
  const [isSending, setSending] = useState(false)

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = form.current
    if (element === null || isSending) return
    setSending(true)
    const outcome = await createKey(readForm(element))
    setSending(false)
    if ('data' in outcome) {
      element.reset()
      setProblem(undefined)
      setCreated(outcome.data)
    } else {
      setProblem(outcome.problem)
      const first = fields.find(name => detailOf(name, outcome.problem) !== undefined)
      if (first !== undefined) document.getElementById(`key-${first}`)?.focus()
    }
  }

  const isOfAField = fields.some(name => detailOf(name, problem) !== undefined)
  return (
    <>
      <form ref={form} class="card key-form" onSubmit={send} noValidate aria-label="New key">
        <FormField
          id="key-name"
          name="name"
          label="Name"
          hint="who or what it is for"
          problem={detailOf('name', problem)}
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
            {detailOf('scopes', problem)}
          </p>
        </fieldset>
        <div class="pair">
          <FormField
            id="key-expires_at"
            name="expires_at"
            label="Expires"
            hint={`optional, ${browserZone().replaceAll('_', ' ')}`}
            problem={detailOf('expires_at', problem)}
          >
            {attributes => <input {...attributes} type="datetime-local" max="9999-12-31T23:59" />}
          </FormField>
          <FormField
            id="key-requests_per_minute"
            name="requests_per_minute"
            label="Requests per minute"
            hint="optional"
            problem={detailOf('requests_per_minute', problem)}
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

function readForm(form: HTMLFormElement): Record<string, unknown> {
  const data = new FormData(form)
  const text = (name: string) => String(data.get(name) ?? '').trim()
  const [expiresAt, limit] = [text('expires_at'), text('requests_per_minute').replace(/[\s,]/g, '')]
  return {
    name: text('name'),
    scopes: data.getAll('scopes'),
    ...(expiresAt !== '' && { expires_at: instantOf(expiresAt) }),
    // Not a number: as it was typed, for the server to refuse.
    ...(limit !== '' && { requests_per_minute: /^\d{1,15}$/.test(limit) ? Number(limit) : limit }),
  }
}

function detailOf(name: string, problem: Problem | undefined): string | undefined {
  return problem?.fields.find(field => field.name.split('/')[0] === name)?.detail
}
