import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { browserZone } from '../address.ts'
import type { Link } from '../api/links.ts'
import { changeLink, readLink } from '../api/links.ts'
import type { Problem } from '../api/problem.ts'
import { closeDialog, Dialog, DialogActions } from '../page/controls/dialog.tsx'
import type { FieldAttributes } from '../page/controls/form-field.tsx'
import { FormField } from '../page/controls/form-field.tsx'
import { useNotice } from '../page/controls/notice.tsx'
import type { FieldName, FieldTexts } from './link-fields.ts'
import { fieldDetail, fieldNames, fieldProblem, fieldTexts, fieldTitle, patchOf } from './link-fields.ts'

/** The link as it was read, with its version. */
interface ReadLink {
  etag: string | undefined
  texts: FieldTexts
}

/** Sends the fields that were changed, unless somebody else has changed the link meanwhile: then it shows what they did. */
export function EditDialog(props: { slug: string; onlyExpiry?: boolean; close: () => void }) {
  const { slug, onlyExpiry } = props
  const form = useRef<HTMLFormElement>(null)
  const notify = useNotice()
  const [read, setRead] = useState<ReadLink>()
  const [texts, setTexts] = useState<FieldTexts>()
  /** What others have changed the fields to. */
  const [others, setOthers] = useState<Partial<FieldTexts>>()
  const [problem, setProblem] = useState<Problem>()
  const [isSending, setSending] = useState(false)
  useEffect(() => void load(), [])
  const isRead = texts !== undefined
  // The button that had the focus while the link was read is gone.
  useEffect(() => {
    if (isRead) form.current?.querySelector('input')?.focus()
  }, [isRead])

  async function load(): Promise<{ etag: string | undefined; link: Link } | undefined> {
    const outcome = await readLink(slug)
    if ('problem' in outcome) {
      setProblem(outcome.problem)
      return undefined
    }
    const { data: link, etag } = outcome
    setRead({ etag, texts: fieldTexts(link) })
    setTexts(typed => typed ?? fieldTexts(link))
    return { etag, link }
  }

  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (read === undefined || texts === undefined || isSending) return
    const patch = unfinishedTime(form.current) ?? patchOf(texts, read.texts)
    if ('problem' in patch) return refuse(patch.problem)
    if (Object.keys(patch).length === 0) return form.current?.closest('dialog')?.close()
    setSending(true)
    const outcome = await changeLink(slug, patch, read.etag)
    if ('problem' in outcome && outcome.problem.status === 412) await merge(texts, read.texts)
    else if ('problem' in outcome) refuse(outcome.problem)
    else {
      notify({ text: `/${slug} is changed.` })
      form.current?.closest('dialog')?.close()
    }
    setSending(false)
  }

  function refuse(refusal: Problem): void {
    setProblem(refusal)
    const first = fieldNames.find(name => fieldDetail(refusal, name) !== undefined)
    if (first !== undefined) document.getElementById(idOf(first))?.focus()
  }

  /** Their values are taken over, except where the user has typed another one: then both are shown. */
  async function merge(typed: FieldTexts, before: FieldTexts): Promise<void> {
    setProblem(undefined)
    const loaded = await load()
    if (loaded === undefined) return
    const after = fieldTexts(loaded.link)
    const changed = fieldNames.filter(name => after[name] !== before[name])
    const taken = changed.filter(name => typed[name].trim() === before[name].trim())
    setTexts({ ...typed, ...pick(after, taken) })
    setOthers(pick(after, changed))
  }

  function field(
    name: FieldName,
    hint: string | undefined,
    input: (attributes: FieldAttributes) => ComponentChildren,
  ) {
    const theirs = others?.[name]
    return (
      <FormField
        id={idOf(name)}
        name={name}
        label={fieldTitle(name)}
        {...(hint !== undefined && { hint })}
        problem={fieldDetail(problem, name)}
        remark={
          theirs === undefined
            ? undefined
            : `Changed meanwhile to: ${theirs.replace(/^([\d-]{10})T/, '$1 ') || 'nothing'}`
        }
      >
        {input}
      </FormField>
    )
  }

  function text(name: FieldName, hint?: string, more: Record<string, unknown> = {}) {
    return field(name, hint, attributes => (
      <input
        {...attributes}
        type="text"
        autocomplete="off"
        value={texts?.[name]}
        onInput={event => type(name, event.currentTarget.value)}
        {...more}
      />
    ))
  }

  function type(name: FieldName, value: string): void {
    setTexts(before => before && { ...before, [name]: value })
  }

  const url = { type: 'url', inputMode: 'url', autocapitalize: 'none', spellcheck: false }
  const time = { type: 'datetime-local', max: '9999-12-31T23:59' }
  const zone = browserZone().replaceAll('_', ' ')
  const isOfAField = fieldNames.some(name => fieldDetail(problem, name) !== undefined)
  return (
    <Dialog title={`${onlyExpiry ? 'Expiry of' : 'Edit'} /${slug}`} wide close={props.close}>
      <div role="alert">
        {others !== undefined && (
          <p class="banner warning">
            Somebody else changed this link meanwhile. Their values are marked below; saving again keeps what
            you see.
          </p>
        )}
        {problem !== undefined && !isOfAField && <p class="banner danger">{problem.detail}</p>}
      </div>
      {texts === undefined ? (
        problem === undefined && <p class="muted">Loading…</p>
      ) : (
        <form ref={form} class="stacked" onSubmit={save} noValidate>
          {!onlyExpiry && text('long_url', undefined, url)}
          {!onlyExpiry && text('title')}
          {!onlyExpiry &&
            field('note', undefined, attributes => (
              <textarea
                {...attributes}
                rows={2}
                value={texts.note}
                onInput={event => type('note', event.currentTarget.value)}
              />
            ))}
          {!onlyExpiry && text('tags', 'separated by commas')}
          <div class="pair">
            {!onlyExpiry && text('valid_from', zone, time)}
            {text('expires_at', zone, time)}
          </div>
          {text('expired_url', 'where visitors go then; else they are told that it has expired', url)}
          {!onlyExpiry && text('max_visits', 'then as if expired', { inputMode: 'numeric' })}
          {!onlyExpiry && (
            <label class="check">
              <input
                type="checkbox"
                id={idOf('forward_query')}
                checked={texts.forward_query !== ''}
                onChange={event => type('forward_query', event.currentTarget.checked ? 'yes' : '')}
              />
              <span>
                {fieldTitle('forward_query')}{' '}
                <span class="muted">what follows ? in the short URL is added to the long one</span>
              </span>
            </label>
          )}
          <DialogActions kind="primary" isSending={isSending} send="Save" sending="Saving…" />
        </form>
      )}
      {texts === undefined && (
        <button type="button" onClick={closeDialog}>
          Close
        </button>
      )}
    </Dialog>
  )
}

/** The create form on the same page has the plain names. */
function idOf(name: FieldName): string {
  return `edit-${name}`
}

/** A time of which only a part was entered has no value, which would remove what was set. */
function unfinishedTime(form: HTMLFormElement | null): { problem: Problem } | undefined {
  for (const name of ['valid_from', 'expires_at'] as const) {
    const input = form?.elements.namedItem(name)
    if (input instanceof HTMLInputElement && input.validity.badInput)
      return fieldProblem(name, 'Please enter both date and time, or neither.')
  }
  return undefined
}

function pick(texts: FieldTexts, names: FieldName[]): Partial<FieldTexts> {
  return Object.fromEntries(names.map(name => [name, texts[name]]))
}
