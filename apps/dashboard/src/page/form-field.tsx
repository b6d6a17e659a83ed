import type { ComponentChildren } from 'preact'

interface FieldAttributes {
  id: string
  name: string
  'aria-invalid': boolean
  'aria-describedby': string
}

/** Label, hint, input and error, associated for screen readers. */
export function FormField(props: {
  id: string
  label: string
  hint?: string
  problem: string | undefined
  children: (attributes: FieldAttributes) => ComponentChildren
}) {
  const { id, label, hint, problem } = props
  return (
    <div class={`field field-${id}`}>
      <label for={id}>
        {label} {hint !== undefined && <span class="muted">{hint}</span>}
      </label>
      {props.children({
        id,
        name: id,
        'aria-invalid': problem !== undefined,
        'aria-describedby': `${id}-problem`,
      })}
      <p id={`${id}-problem`} class="field-problem" aria-live="polite">
        {problem}
      </p>
    </div>
  )
}
