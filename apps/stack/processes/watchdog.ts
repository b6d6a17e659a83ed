/**
 * Whatever a run has started ends with it, even if the run is killed with SIGKILL.
 *
 * A run has one watchdog: a process in a session of its own (watchdog-process.ts), out of reach of Ctrl-C and of signals to the
 * run's process group. It holds the read end of a pipe from the process that started it, and in a run of several processes
 * a socket that the others connect to. What a process notes here is ended when that process is gone, which the
 * kernel reports by closing its pipe or connection. When the process that started the watchdog is gone, the run is over: the
 * watchdog kills the connected processes, ends what they have noted, removes the run's folder, and exits.
 *
 * Notes are written in one system call where there is room in the pipe, so a note made before a SIGKILL counts. They
 * name a process by its id and start time: one that ended and whose id was used again is left alone.
 *
 * If the watchdog itself is killed together with the run, nothing is cleaned up; the next `npm start` on the same
 * folder recovers.
 */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SignalStep } from './running-process.ts'
import { startTime } from './running-process.ts'

/** One line of JSON to the watchdog. */
export interface Note {
  pid: number
  startedAt: string
  /** A `member` belongs to the run and is killed as soon as the run is over; `last` is what other processes depend on. */
  order: 'member' | 'first' | 'last'
  steps: SignalStep[]
}

export interface Watchdog {
  /** Ends the process with these signals once this process is gone. Call it right after the process was spawned. */
  endAfterUs(pid: number, steps: SignalStep[], order?: 'first' | 'last'): void
}

const program = fileURLToPath(new URL('watchdog-process.ts', import.meta.url))
const joinDeadlineMs = 10_000

/**
 * Starts the watchdog of a run that begins with this process. `folder` is removed with everything in it, mounts
 * included, when the run is over; further processes of the run join by its path.
 */
export function startWatchdog(folder?: string): Watchdog {
  const child = spawn(process.execPath, [program, ...(folder === undefined ? [] : [folder])], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.on('error', () => {})
  child.unref()
  const pipe = child.stdin as Socket
  pipe.unref()
  return writeNotesTo(pipe)
}

/** Joins the run that has this folder. */
export async function joinWatchdog(folder: string): Promise<Watchdog> {
  const deadline = performance.now() + joinDeadlineMs
  for (;;) {
    try {
      const socket = await connectTo(socketIn(folder))
      socket.unref()
      note(socket, process.pid, [['SIGKILL', 2_000]], 'member')
      return writeNotesTo(socket)
    } catch (error) {
      // It may not listen yet.
      if (performance.now() > deadline) throw error
      await sleep(20)
    }
  }
}

export function socketIn(folder: string): string {
  return join(folder, 'watchdog')
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket))
    socket.once('error', reject)
  })
}

function writeNotesTo(stream: Writable): Watchdog {
  // A watchdog that was killed is no reason to fail.
  stream.on('error', () => {})
  return { endAfterUs: (pid, steps, order = 'first') => note(stream, pid, steps, order) }
}

function note(stream: Writable, pid: number, steps: SignalStep[], order: Note['order']): void {
  const startedAt = startTime(pid)
  if (startedAt === undefined) return
  const line: Note = { pid, startedAt, order, steps }
  stream.write(`${JSON.stringify(line)}\n`)
}
