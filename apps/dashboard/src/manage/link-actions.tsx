import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useMemo, useState } from 'preact/hooks'
import { changeLink } from '../api/links.ts'
import { useNotice } from '../page/controls/notice.tsx'
import { DeleteDialog } from './delete-dialog.tsx'
import { EditDialog } from './edit-dialog.tsx'
import { HistoryDialog } from './history-dialog.tsx'

interface LinkActionsState {
  edit: (slug: string) => void
  changeExpiry: (slug: string) => void
  remove: (slug: string) => void
  showHistory: (slug: string) => void
  /** At once; disabling can be undone. */
  setDisabled: (slug: string, disabled: boolean) => Promise<void>
}

type DialogKind = 'edit' | 'expiry' | 'delete' | 'history'

const LinkActionsContext = createContext<LinkActionsState | undefined>(undefined)

/** What can be done with a link. Its dialogs are here rather than in a row of the list, which may go while one is open. */
export function LinkActions({ children }: { children: ComponentChildren }) {
  const [dialog, setDialog] = useState<{ kind: DialogKind; slug: string }>()
  const notify = useNotice()
  const actions = useMemo<LinkActionsState>(() => {
    const open = (kind: DialogKind) => (slug: string) => setDialog({ kind, slug })
    return {
      edit: open('edit'),
      changeExpiry: open('expiry'),
      remove: open('delete'),
      showHistory: open('history'),
      async setDisabled(slug, disabled) {
        const outcome = await changeLink(slug, { disabled })
        if ('problem' in outcome)
          return notify({ text: `/${slug} is not changed. ${outcome.problem.detail}` })
        notify({
          text: disabled ? `/${slug} is disabled: visitors find nothing.` : `/${slug} is enabled.`,
          undo: disabled
            ? () => {
                document.getElementById(linkMenuId(slug))?.focus()
                void actions.setDisabled(slug, false)
              }
            : undefined,
        })
      },
    }
  }, [notify])
  const shown = dialog && { slug: dialog.slug, close: () => setDialog(undefined) }
  return (
    <LinkActionsContext.Provider value={actions}>
      {children}
      {shown && dialog.kind === 'edit' && <EditDialog {...shown} />}
      {shown && dialog.kind === 'expiry' && <EditDialog {...shown} onlyExpiry />}
      {shown && dialog.kind === 'delete' && <DeleteDialog {...shown} />}
      {shown && dialog.kind === 'history' && <HistoryDialog {...shown} />}
    </LinkActionsContext.Provider>
  )
}

export function useLinkActions(): LinkActionsState {
  const actions = useContext(LinkActionsContext)
  if (actions === undefined) throw new Error('outside of LinkActions')
  return actions
}

export function linkMenuId(slug: string): string {
  return `menu-${slug}`
}
