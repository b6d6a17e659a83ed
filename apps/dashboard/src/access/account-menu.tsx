import { useState } from 'preact/hooks'
import { firstPage } from '../address.ts'
import type { Problem } from '../api/problem.ts'
import { useNavigation } from '../navigation.tsx'
import { PersonIcon } from '../page/controls/icons.tsx'
import { MenuButton } from '../page/controls/menu-button.tsx'
import { useSession } from './session.tsx'

/** Who is signed in, what only administrators see, and the way out. */
export function AccountMenu() {
  const { session, allows, signOut } = useSession()
  const { go } = useNavigation()
  const [problem, setProblem] = useState<Problem>()
  const isSignedIn = session?.signed_in === true
  const show = (view: 'keys' | 'audit') => () => go({ link: undefined, view, ...firstPage })
  const items = [
    ...(allows('admin')
      ? [
          { label: 'Keys', run: show('keys') },
          { label: 'Audit', run: show('audit') },
        ]
      : []),
    ...(isSignedIn ? [{ label: 'Sign out', run: async () => setProblem(await signOut()) }] : []),
  ]
  if (items.length === 0) return null
  const label = isSignedIn ? `Signed in as ${session.name}` : 'Administration'
  return (
    <>
      {isSignedIn && <bdi class="account-name muted small-text">{session.name}</bdi>}
      <MenuButton label={label} title={isSignedIn ? label : undefined} items={items}>
        <PersonIcon />
      </MenuButton>
      <span role="alert" class="visually-hidden">
        {problem !== undefined && `Not signed out. ${problem.detail}`}
      </span>
    </>
  )
}
