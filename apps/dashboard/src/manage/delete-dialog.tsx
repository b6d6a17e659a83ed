import { useRef, useState } from 'preact/hooks'
import { deleteLink } from '../api/links.ts'
import { Dialog, DialogActions } from '../page/controls/dialog.tsx'
import { useNotice } from '../page/controls/notice.tsx'

/** The slug has to be typed: nobody deletes another link than they think. */
export function DeleteDialog({ slug, close }: { slug: string; close: () => void }) {
  const field = useRef<HTMLInputElement>(null)
  const notify = useNotice()
  const [problem, setProblem] = useState<string>()
  const [isSending, setSending] = useState(false)

  async function remove(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const input = field.current
    if (input === null || isSending) return
    if (input.value.trim().replace(/^\//, '') !== slug) {
      setProblem(`This is not ${slug}.`)
      return input.focus()
    }
    setSending(true)
    const outcome = await deleteLink(slug)
    setSending(false)
    if ('problem' in outcome) return setProblem(outcome.problem.detail)
    notify({ text: `/${slug} is deleted.` })
    input.closest('dialog')?.close()
  }

  return (
    <Dialog title={`Delete /${slug}`} close={close}>
      <p>
        Visitors will be told that the link is gone. This can’t be undone: the short name is never given to
        another link. Its statistics stay.
      </p>
      <form class="stacked" onSubmit={remove} noValidate>
        <div class="field">
          <label for="delete-slug">
            Type <bdi class="typed">{slug}</bdi> to confirm
          </label>
          <input
            ref={field}
            id="delete-slug"
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-invalid={problem !== undefined}
            aria-describedby="delete-slug-problem"
          />
          <p id="delete-slug-problem" class="field-problem" role="alert">
            {problem}
          </p>
        </div>
        <DialogActions kind="danger" isSending={isSending} send="Delete" sending="Deleting…" />
      </form>
    </Dialog>
  )
}
