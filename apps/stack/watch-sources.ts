/** Calls back when source files change. Editors save in several steps: changes within a moment are one. */
import { watch } from 'node:fs'

export interface SourceWatch {
  close(): void
}

const settleMs = 150
const sourceFile = /\.(ts|tsx|css|html|svg|json)$/

export function watchSources(folders: string[], onChange: (file: string) => void): SourceWatch {
  let timer: NodeJS.Timeout | undefined
  const watchers = folders.map(folder =>
    watch(folder, { recursive: true }, (_event, file) => {
      if (file === null || !sourceFile.test(file) || /(^|\/)(node_modules|dist)\//.test(file)) return
      clearTimeout(timer)
      timer = setTimeout(onChange, settleMs, file)
    }).on('error', () => {}),
  )
  return {
    close() {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
