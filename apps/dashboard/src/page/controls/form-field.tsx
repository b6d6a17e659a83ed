import type { ComponentChildren } from 'preact'

export interface FieldAttributes {
  id: string
  name: string
  'aria-invalid': boolean
  'aria-describedby': string
}

/** Label, hint, input and error, associated for screen readers. */
export function FormField(props: {
  id: string
  /** By default the id. */
  name?: string
  label: string
  hint?: string
  problem: string | undefined
  remark?: string | undefined
  children: (attributes: FieldAttributes) => ComponentChildren
}) {
  const { id, name = id, label, hint, problem, remark } = props
  return (
    <div class={`field field-${name}`}>
      <label for={id}>
        {label} {hint !== undefined && <span class="muted">{hint}</span>}
      </label>
      {props.children({
        id,
        name,
        'aria-invalid': problem !== undefined,
        'aria-describedby': `${id}-problem${remark === undefined ? '' : ` ${id}-remark`}`,
      })}
      {remark !== undefined && (
        <p id={`${id}-remark`} class="field-remark">
          {remark}
        </p>
      )}
      <p id={`${id}-problem`} class="field-problem" aria-live="polite">
        {problem}
      </p>
    </div>
  )
}
