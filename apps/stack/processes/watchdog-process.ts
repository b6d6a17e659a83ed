/**
 * The process behind watchdog.ts, which says what it promises. Arguments: the run's folder, if it has one.
 *
 *   stdin           notes of the process that started the run; its end is the end of the run
 *   folder/watchdog a socket for notes of the run's other processes; the end of a connection is the end of that process
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcessStartedAt } from './running-process.ts'
import type { Note } from './watchdog.ts'
import { socketIn } from './watchdog.ts'

const removeDeadlineMs = 10_000
const [folder] = process.argv.slice(2)
const members: Note[] = []
const followed: Promise<void>[] = []

// A service manager that stops the whole run signals every process of it; this one leaves last.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

if (folder !== undefined) createServer(socket => followed.push(follow(socket))).listen(socketIn(folder))
const own = await notesFrom(process.stdin)
// Members first: while they run, they may start further processes.
await endAll(members)
await Promise.all(followed)
await endNoted(own)
if (folder !== undefined) await removeFolder(folder)
process.exit(0)

async function follow(stream: NodeJS.ReadableStream): Promise<void> {
  await endNoted(await notesFrom(stream))
}

/** All notes of one process, once it is gone. */
async function notesFrom(stream: NodeJS.ReadableStream): Promise<Note[]> {
  const notes: Note[] = []
  try {
    for await (const line of createInterface({ input: stream })) {
      const note = JSON.parse(line) as Note
      if (note.order === 'member') members.push(note)
      else notes.push(note)
    }
  } catch {
    // A reset connection, or a line that was cut short: what was noted before counts.
  }
  return notes
}

async function endNoted(notes: Note[]): Promise<void> {
  await endAll(notes.filter(note => note.order === 'first'))
  await endAll(notes.filter(note => note.order === 'last'))
}

async function endAll(notes: Note[]): Promise<void> {
  await Promise.allSettled(notes.map(note => endProcessStartedAt(note.pid, note.startedAt, note.steps)))
}

/** Processes that are still ending may write to it for a moment. */
async function removeFolder(path: string): Promise<void> {
  const deadline = performance.now() + removeDeadlineMs
  while (existsSync(path) && performance.now() < deadline) {
    try {
      unmountBelow(path)
      rmSync(path, { recursive: true, force: true })
    } catch {
      await sleep(100)
    }
  }
}

function unmountBelow(path: string): void {
  if (process.platform !== 'linux') return
  const mountPoints = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(mountPoint => mountPoint.startsWith(`${path}/`))
  // Lazy: a process that is still ending may have files open there.
  for (const mountPoint of mountPoints) execFileSync('umount', ['--lazy', mountPoint], { stdio: 'ignore' })
}
