import { useEffect, useRef, useState } from 'preact/hooks'
import { CheckIcon, CopyIcon } from './icons.tsx'

const showsResultMs = 2_000

/** `subtle`: only the icon, with an accessible name. */
export function CopyButton(props: { text: string; label: string; subtle?: boolean; focused?: boolean }) {
  const button = useRef<HTMLButtonElement>(null)
  const [result, setResult] = useState<'copied' | 'refused'>()
  useEffect(() => {
    if (props.focused) button.current?.focus()
  }, [props.focused])
  useEffect(() => {
    if (result === undefined) return
    const timer = setTimeout(() => setResult(undefined), showsResultMs)
    return () => clearTimeout(timer)
  }, [result])
  const word = { copied: 'Copied', refused: 'Could not copy' }
  return (
    <>
      <button
        ref={button}
        type="button"
        class={props.subtle ? 'icon' : undefined}
        aria-label={props.label}
        title={props.subtle ? props.label : undefined}
        onClick={async () => setResult((await copy(props.text)) ? 'copied' : 'refused')}
      >
        {result === 'copied' ? <CheckIcon /> : <CopyIcon />}
        {!props.subtle && (result === undefined ? props.label : word[result])}
      </button>
      <span role="status" class="visually-hidden">
        {result !== undefined && word[result]}
      </span>
    </>
  )
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copySelected(text)
  }
}

/** Without HTTPS, except on localhost, browsers only offer the old clipboard API. */
function copySelected(text: string): boolean {
  const focused = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'visually-hidden'
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return copied
}
