import { useSession } from '../access/session.tsx'
import type { LinkState } from '../address.ts'
import { DotsIcon } from '../page/controls/icons.tsx'
import { MenuButton } from '../page/controls/menu-button.tsx'
import { linkMenuId, useLinkActions } from './link-actions.tsx'

/** What the user may do with a link. */
export function LinkMenu({ slug, state }: { slug: string; state: LinkState }) {
  const { allows } = useSession()
  const actions = useLinkActions()
  if (!allows('links:read')) return null
  const canChange = allows('links:write') && state !== 'deleted'
  const isDisabled = state === 'disabled'
  const history = { label: 'History…', run: () => actions.showHistory(slug) }
  const items = canChange
    ? [
        { label: 'Edit…', run: () => actions.edit(slug) },
        { label: 'Change expiry…', run: () => actions.changeExpiry(slug) },
        {
          label: isDisabled ? 'Enable' : 'Disable',
          run: () => void actions.setDisabled(slug, !isDisabled),
        },
        history,
        { label: 'Delete…', run: () => actions.remove(slug), isDanger: true },
      ]
    : [history]
  return (
    <MenuButton id={linkMenuId(slug)} label={`Actions for ${slug}`} items={items}>
      <DotsIcon />
    </MenuButton>
  )
}
