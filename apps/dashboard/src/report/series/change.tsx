import { percent, times } from '../../text/numbers.ts'
import { changeInWords, leastTimes } from './shown-series.ts'

/**
 * The change from an earlier period: short on screen, a sentence for screen readers. Nothing where there was nothing before:
 * from nothing, everything is a change.
 */
export function Change(props: { now: number; before: number; than: string }) {
  const { now, before, than } = props
  if (before === 0) return null
  const words = changeInWords(now, before, than)
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
  if (now / before >= leastTimes) return `▲ ×${times(now, before)}`
  return `${now > before ? '▲' : '▼'} ${percent(Math.abs(now - before), before)}`
}
