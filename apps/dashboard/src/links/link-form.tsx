import { useRef, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Problem } from '../api/problem.ts'
import type { NewLink } from '../api/shorten.ts'
import { shorten } from '../api/shorten.ts'
import { FormField } from '../page/form-field.tsx'

export const longUrlId = 'long_url'

const fields = { long_url: 'The long URL', slug: 'The short name', expires_at: 'The expiry' }
type FieldName = keyof typeof fields

/** Validation is up to the server; its errors are shown at the fields that they name. */
export function LinkForm({ created }: { created: (link: NewLink) => void }) {
  const form = useRef<HTMLFormElement>(null)
  const [problem, setProblem] = useState<Problem>()
  const [isSending, setSending] = useState(false)

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = form.current
    if (element === null || isSending) return
    setSending(true)
    const wish = readWish(element)
    const outcome = 'problem' in wish ? wish : await shorten(wish)
    setSending(false)
    if ('link' in outcome) {
      element.reset()
      setProblem(undefined)
      created(outcome.link)
    } else {
      setProblem(outcome.problem)
      const first = outcome.problem.fields.find(({ name }) => name in fields)
      if (first !== undefined) document.getElementById(first.name)?.focus()
    }
  }

  function problemOf(name: FieldName): string | undefined {
    const detail = problem?.fields.find(field => field.name === name)?.detail
    return detail?.replace(new RegExp(`^${name}\\b`), fields[name]).replace('This slug', 'This short name')
  }

  const isOfAField = problem?.fields.some(({ name }) => name in fields)
  return (
    <form ref={form} class="card link-form" onSubmit={send} noValidate>
      <FormField id={longUrlId} label="Long URL" problem={problemOf('long_url')}>
        {attributes => (
          <input
            {...attributes}
            type="url"
            inputMode="url"
            placeholder="https://example.com/a/long/way"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
          />
        )}
      </FormField>
      <FormField id="slug" label="Short name" hint="optional" problem={problemOf('slug')}>
        {attributes => (
          <input
            {...attributes}
            type="text"
            placeholder="random, if left empty"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
        )}
      </FormField>
      <FormField
        id="expires_at"
        label="Expires"
        hint={`optional, ${browserZone().replaceAll('_', ' ')}`}
        problem={problemOf('expires_at')}
      >
        {attributes => <input {...attributes} type="datetime-local" max="9999-12-31T23:59" />}
      </FormField>
      <button type="submit" class="primary" aria-disabled={isSending}>
        {isSending ? 'Shortening…' : 'Shorten'}
      </button>
      <div role="alert">
        {problem !== undefined && !isOfAField && <p class="banner danger">{problem.detail}</p>}
      </div>
    </form>
  )
}

/** Fills in the short name and focuses the long URL. */
export function fillSlug(slug: string): void {
  const [slugField, longUrlField] = ['slug', longUrlId].map(id => document.getElementById(id))
  if (!(slugField instanceof HTMLInputElement)) return
  slugField.value = slug
  longUrlField?.focus()
}

/** The request body, or a problem that only the browser can detect. */
function readWish(form: HTMLFormElement) {
  const data = new FormData(form)
  const text = (name: FieldName) => String(data.get(name) ?? '').trim()
  const longUrl = text('long_url')
  if (longUrl === '') return fieldProblem('long_url', 'Please enter the URL that the link should lead to.')
  const expiry = form.elements.namedItem('expires_at')
  if (expiry instanceof HTMLInputElement && expiry.validity.badInput)
    return fieldProblem('expires_at', 'Please enter both date and time, or neither.')
  const [slug, expiresAt] = [text('slug'), text('expires_at')]
  return {
    long_url: withScheme(longUrl),
    ...(slug !== '' && { slug }),
    // Date reads a text without a zone in the browser's zone.
    ...(expiresAt !== '' && { expires_at: new Date(expiresAt).toISOString() }),
  }
}

/** `example.com/x`, as it is often typed, means https. */
function withScheme(text: string): string {
  return /^[^\s/:@?#]+\.[^\s/:@?#.]{2,}(:\d+)?([/?#]|$)/.test(text) ? `https://${text}` : text
}

function fieldProblem(name: FieldName, detail: string): { problem: Problem } {
  return { problem: { status: 422, detail, fields: [{ name, detail }] } }
}
