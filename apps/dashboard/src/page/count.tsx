import { compactNumber, number } from '../text/numbers.ts'

/**
 * A number that is compact where its container is narrow (`.count` in page.css). Tooltip, text and screen readers have the
 * exact one.
 */
export function Count({ value }: { value: number }) {
  const [exact, compact] = [number(value), compactNumber(value)]
  if (exact === compact) return <>{exact}</>
  return (
    <span class={`count ${value < 1e9 ? '' : 'long'}`} title={exact} data-compact={compact}>
      <span>{exact}</span>
    </span>
  )
}
