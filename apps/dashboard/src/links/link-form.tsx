import { useEffect, useRef, useState } from 'preact/hooks'
import { useSession } from '../access/session.tsx'
import { browserZone } from '../address.ts'
import { createLink } from '../api/links.ts'
import type { Problem } from '../api/problem.ts'
import { shorten } from '../api/shorten.ts'
import { fieldDetail, fieldProblem, instantOf, tagsOf, withScheme } from '../manage/link-fields.ts'
import { FormField } from '../page/controls/form-field.tsx'
import type { NewLink } from './created-link.tsx'

export const longUrlId = 'long_url'

const fields = [longUrlId, 'slug', 'title', 'tags', 'expires_at'] as const
type FieldName = (typeof fields)[number]

/** Validation is up to the server; its errors are shown at the fields that they name. */
export function LinkForm({ created }: { created: (link: NewLink) => void }) {
  const { allows } = useSession()
  const form = useRef<HTMLFormElement>(null)
  const more = useRef<HTMLDetailsElement>(null)
  const [problem, setProblem] = useState<Problem>()
  const [isSending, setSending] = useState(false)
  // The heading, which is above, has taken the focus.
  useEffect(() => {
    if (next !== undefined) fillForm(next)
    next = undefined
  }, [])

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = form.current
    if (element === null || isSending) return
    setSending(true)
    const wish = readWish(element)
    // Without a key, where that is allowed, links can only be created by the public route.
    const outcome =
      'problem' in wish ? wish : await (allows('links:write') ? createLink(wish) : shorten(wish))
    setSending(false)
    if ('data' in outcome) {
      element.reset()
      setProblem(undefined)
      created(outcome.data)
    } else {
      setProblem(outcome.problem)
      const first = fields.find(name => fieldDetail(outcome.problem, name) !== undefined)
      const field = first && document.getElementById(first)
      if (field && more.current?.contains(field)) more.current.open = true
      field?.focus()
    }
  }

  const problemOf = (name: FieldName) => fieldDetail(problem, name)
  const isOfAField = fields.some(name => problemOf(name) !== undefined)
  const asTyped = { autocomplete: 'off', autocapitalize: 'none', spellcheck: false } as const
  return (
    <form ref={form} class="card link-form" data-kept onSubmit={send} noValidate>
      <FormField id={longUrlId} label="Long URL" problem={problemOf('long_url')}>
        {attributes => (
          <input
            {...attributes}
            {...asTyped}
            type="url"
            inputMode="url"
            placeholder="https://example.com/a/long/way"
            required
          />
        )}
      </FormField>
      <FormField id="slug" label="Short name" hint="optional" problem={problemOf('slug')}>
        {attributes => <input {...attributes} {...asTyped} type="text" placeholder="random, if left empty" />}
      </FormField>
      <button type="submit" class="primary" aria-disabled={isSending}>
        {isSending ? 'Shortening…' : 'Shorten'}
      </button>
      <details ref={more} class="more">
        <summary>Title, tags and expiry</summary>
        <div class="more-fields">
          <FormField id="title" label="Title" hint="optional" problem={problemOf('title')}>
            {attributes => <input {...attributes} type="text" autocomplete="off" />}
          </FormField>
          <FormField id="tags" label="Tags" hint="separated by commas" problem={problemOf('tags')}>
            {attributes => <input {...attributes} type="text" autocomplete="off" />}
          </FormField>
          <FormField
            id="expires_at"
            label="Expires"
            hint={`optional, ${browserZone().replaceAll('_', ' ')}`}
            problem={problemOf('expires_at')}
          >
            {attributes => <input {...attributes} type="datetime-local" max="9999-12-31T23:59" />}
          </FormField>
        </div>
      </details>
      <div role="alert">
        {problem !== undefined && !isOfAField && <p class="banner danger">{problem.detail}</p>}
      </div>
    </form>
  )
}

/** Fills in what is known, and focuses the field to be filled in next: the long URL, or the short name. */
export function fillForm(known: { slug?: string; long_url?: string }): void {
  for (const [id, text] of Object.entries(known)) {
    const field = document.getElementById(id)
    if (field instanceof HTMLInputElement) field.value = text
  }
  document.getElementById(known.long_url === undefined ? longUrlId : 'slug')?.focus()
}

let next: Parameters<typeof fillForm>[0] | undefined

/** For the form of the page that is shown next. */
export function fillNextForm(known: NonNullable<typeof next>): void {
  next = known
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
  const [slug, title, tags, expiresAt] = [
    text('slug'),
    text('title'),
    tagsOf(text('tags')),
    text('expires_at'),
  ]
  return {
    long_url: withScheme(longUrl),
    ...(slug !== '' && { slug }),
    ...(title !== '' && { title }),
    ...(tags.length > 0 && { tags }),
    ...(expiresAt !== '' && { expires_at: instantOf(expiresAt) }),
  }
}
