import { browserZone } from '../address.ts'
import type { Change } from '../api/links.ts'
import { shownTarget } from '../text/shown-target.ts'
import { dateAndTime } from '../text/times.ts'
import { fieldTitle } from './link-fields.ts'

const actionTitles: Record<string, string> = {
  'link.created': 'created',
  'link.changed': 'changed',
  'link.deleted': 'deleted',
  'key.created': 'created the key',
  'key.revoked': 'revoked the key',
  'domain.blocked': 'blocked the domain',
  'domain.unblocked': 'no longer blocked the domain',
  'domain.allowed': 'allowed the domain',
  'domain.disallowed': 'no longer allowed the domain',
}
const viaTitles: Record<string, string> = {
  api: 'through the API',
  page: 'on the page',
  command: 'on the command line',
}

export function actionTitle(action: string): string {
  return actionTitles[action] ?? action.replaceAll(/[._]/g, ' ')
}

/** Who, and by which way. */
export function Author({ change }: { change: Pick<Change, 'by' | 'via'> }) {
  const { by, via } = change
  return (
    <>
      {by !== null && <bdi class="author">{by.name}</bdi>}{' '}
      <span class="muted">
        {viaTitles[via] ?? via}
        {by === null && via !== 'command' && ', without a key'}
      </span>
    </>
  )
}

/** Each changed field with its value before and after. */
export function Changes({ changes }: { changes: Change['changes'] }) {
  const all = Object.entries(changes)
  if (all.length === 0) return null
  return (
    <dl class="changes">
      {all.map(([name, [before, after]]) => (
        <div key={name}>
          <dt>{fieldTitle(name)}</dt>
          <dd>
            {isNothing(after) ? (
              <>
                <span class="muted">removed; it was</span> <bdi>{valueText(before)}</bdi>
              </>
            ) : (
              <>
                {!isNothing(before) && (
                  <>
                    <span class="muted">from</span> <bdi>{valueText(before)}</bdi>{' '}
                    <span class="muted">to</span>{' '}
                  </>
                )}
                <bdi>{valueText(after)}</bdi>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

function valueText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.join(', ')
  if (typeof value !== 'string') return String(value)
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? dateAndTime(value, browserZone()) : shownTarget(value)
}
