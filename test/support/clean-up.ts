/**
 * What a test file has started and must end: servers, processes, folders, databases. The last started ends first.
 * end-of-file.ts runs it after each test file; a script that is no test calls it itself.
 */
type Task = () => unknown

const tasks: Task[] = []
const startedPids = new Set<number>()

export function cleanUpLater(task: Task): void {
  tasks.push(task)
}

/** A process that must not outlive this one, even where this one ends without cleaning up. */
export function endWithUs(pid: number): void {
  startedPids.add(pid)
}

export function ended(pid: number): void {
  startedPids.delete(pid)
}

/** Runs everything, also after a failure; throws the first failure. */
export async function cleanUp(): Promise<void> {
  const failures: unknown[] = []
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    try {
      await task()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

process.on('exit', () => {
  for (const pid of startedPids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
})
