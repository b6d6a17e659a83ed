import { readdirSync, readFileSync } from 'node:fs'

/** Process ids of the direct children, zombies left out. Linux only; elsewhere the answer is empty. */
export function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .map(Number)
    .filter(other => other > 0 && parentOf(other) === pid)
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
