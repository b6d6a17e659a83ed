import { readdirSync, readFileSync } from 'node:fs'

/** Process ids of the direct children, without zombies. Linux only; elsewhere the list is empty. */
export function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .map(Number)
    .filter(other => other > 0 && parentOf(other) === pid)
}

/** Processes whose environment or arguments contain the text, zombies left out. Linux only; elsewhere the list is empty. */
export function processesWith(text: string): { pid: number; command: string }[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .map(Number)
    .filter(
      pid =>
        pid > 0 && (contentOf(pid, 'environ').includes(text) || contentOf(pid, 'cmdline').includes(text)),
    )
    .map(pid => ({ pid, command: contentOf(pid, 'cmdline').replaceAll('\0', ' ') }))
}

function contentOf(pid: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // pid (name) state parent …: the name may hold blanks and brackets. See proc_pid_stat(5).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    return undefined
  }
}
