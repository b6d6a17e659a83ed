/**
 * Lowers the CPU priority of a process on this machine. It is never raised, and nothing else about the process changes.
 *
 * On Linux the nice value belongs to a thread: threads that run already (V8's collectors of garbage) keep theirs unless each
 * is set. And where autogroups are on, as on most desktops, it only counts among the processes of one session: sessions
 * compete by the value of their autogroup. The API, the worker and every backend of PostgreSQL lead a session each, so
 * without it they would share a core evenly, whatever their nice values are. See sched(7), "The autogroup feature".
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Only root may set autogroups more often than every 100 ms; everybody else shares one turn. See sched(7). */
const autogroupAttempts = 20
const nextAttemptMs = 120

/** @param nice from 0, which changes nothing, to 19. Throws if the process is gone, or belongs to another user. */
export async function lowerPriority(pid: number, nice: number): Promise<void> {
  for (const thread of threadsOf(pid)) if (getPriority(thread) < nice) setPriority(thread, nice)
  await lowerAutogroup(pid, nice)
}

/** Each of which has an id of its own. Where there is no /proc, the process stands for all of them. */
function threadsOf(pid: number): number[] {
  if (process.platform !== 'linux') return [pid]
  return readdirSync(`/proc/${pid}/task`).map(Number)
}

/** A session that the process does not lead is not its own: a shell's, for example, with everything that was started there. */
async function lowerAutogroup(pid: number, nice: number): Promise<void> {
  if (process.platform !== 'linux' || !leadsSession(pid)) return
  const file = `/proc/${pid}/autogroup`
  for (let attempt = 1; ; attempt++) {
    try {
      if (autogroupNice(file) >= nice) return
      writeFileSync(file, String(nice))
      return
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      // A kernel without autogroups.
      if (code === 'ENOENT') return
      if (code !== 'EAGAIN' || attempt === autogroupAttempts) throw error
    }
    await sleep(nextAttemptMs, undefined, { ref: false })
  }
}

function leadsSession(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // pid (name) state parent group session …; the name may hold blanks and brackets. See proc_pid_stat(5).
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === pid
}

/** The file reads `/autogroup-123 nice 0`. A process of the root group has an empty one, and nothing to lower. */
function autogroupNice(file: string): number {
  return Number(/nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? Number.POSITIVE_INFINITY)
}
