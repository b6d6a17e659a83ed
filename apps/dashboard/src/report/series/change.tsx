import { percent } from '../../text/numbers.ts'
import { changeInWords } from './shown-series.ts'

/** The change from the preceding period: short on screen, a sentence for screen readers. */
export function Change(props: { now: number; before: number; soFar?: boolean }) {
  const { now, before, soFar = false } = props
  if (now === 0 && before === 0) return null
  const words = changeInWords(now, before, soFar)
  return (
    <span class={`change ${direction(now, before)}`} title={words}>
      <span aria-hidden="true">{sign(now, before)}</span>
      <span class="visually-hidden">{words}</span>
    </span>
  )
}

function direction(now: number, before: number): string {
  if (now === before) return 'same'
  return now > before ? 'up' : 'down'
}

function sign(now: number, before: number): string {
  if (now === before) return '±0'
  if (before === 0) return '▲ new'
  return `${now > before ? '▲' : '▼'} ${percent(Math.abs(now - before), before)}`
}
