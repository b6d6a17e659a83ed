/**
 * What a test file has started and must end: servers, processes, folders, databases. The last started ends first.
 * end-of-file.ts runs it after each test file; a script that is not a test calls it itself.
 */
type Task = () => unknown

const tasks: Task[] = []

export function cleanUpLater(task: Task): void {
  tasks.push(task)
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
