import type { LinkState } from '../address.ts'

export const stateTitles: Record<LinkState, string> = {
  active: 'Active',
  scheduled: 'Not started yet',
  expired: 'Expired',
  exhausted: 'Visit limit reached',
  disabled: 'Disabled',
  deleted: 'Deleted',
}

/** Why a link doesn't redirect, in words; nothing for one that does. */
export function StateMark({ state }: { state: LinkState }) {
  if (state === 'active') return null
  return <span class={`tag state ${state}`}>{stateTitles[state]}</span>
}
