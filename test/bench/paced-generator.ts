/**
 * An open-loop generator: requests are due at a constant rate whatever the server does, and latency is measured from
 * the time a request was due (no coordinated omission). Started by paced-load.ts on the generator's core; its only
 * argument is a PacedPlan, its only output a PacedSample.
 *
 * Raw sockets and prepared requests let a Node process send tens of thousands of requests a second on time.
 */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { rank } from './draw-visits.ts'
import type { PacedPlan, PacedSample } from './paced-load.ts'
import { percentile } from './summary.ts'

const plan = JSON.parse(process.argv[2] ?? '') as PacedPlan
const { port } = new URL(plan.origin)
const free: Connection[] = []
/** The due times of requests that wait for a free connection. */
const waiting: number[] = []
/** Of requests that were due after the warm-up. */
const latenciesMs: number[] = []
const statuses: Record<string, number> = {}
let due = 0
let answered = 0
let lateMs = 0
let measuredFrom = 0

interface Connection {
  socket: Socket
  dueAt: number
  received: string
}

async function openConnection(): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const connection: Connection = { socket, dueAt: 0, received: '' }
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => receive(connection, text))
  socket.on('error', () => {})
  return connection
}

function receive(connection: Connection, text: string): void {
  connection.received += text
  const end = connection.received.indexOf('\r\n\r\n')
  if (end < 0) return
  const head = connection.received.slice(0, end)
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  if (connection.received.length < end + 4 + length) return
  const status = head.slice(9, 12)
  statuses[status] = (statuses[status] ?? 0) + 1
  answered++
  if (connection.dueAt >= measuredFrom) latenciesMs.push(performance.now() - connection.dueAt)
  connection.received = ''
  const nextDue = waiting.shift()
  if (nextDue === undefined) free.push(connection)
  else send(connection, nextDue)
}

function send(connection: Connection, dueAt: number): void {
  connection.dueAt = dueAt
  connection.socket.write(nextRequest())
}

const fixedRequest = requestFor(plan.paths[0] ?? '/')

function nextRequest(): string {
  if (plan.paths.length === 1) return fixedRequest
  return requestFor(plan.paths[rank(plan.paths.length) - 1] ?? '/')
}

function requestFor(path: string): string {
  const headers = Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\nhost: hop.example\r\n${headers.join('')}\r\n`
}

function sendWhatIsDue(startedAt: number, total: number): void {
  const now = performance.now()
  while (due < total) {
    const dueAt = startedAt + (due * 1_000) / plan.perSecond
    if (dueAt > now) break
    due++
    if (dueAt >= measuredFrom) lateMs += now - dueAt
    const connection = free.pop()
    if (connection === undefined) waiting.push(dueAt)
    else send(connection, dueAt)
  }
}

async function run(): Promise<PacedSample> {
  for (let i = 0; i < plan.connections; i++) free.push(await openConnection())
  const startedAt = performance.now()
  measuredFrom = startedAt + plan.warmUpSeconds * 1_000
  const total = Math.floor(plan.perSecond * plan.seconds)
  const deadline = startedAt + plan.seconds * 1_000 + 5_000
  while (answered < total && performance.now() < deadline) {
    sendWhatIsDue(startedAt, total)
    await new Promise<void>(resolve => (plan.spin ? setImmediate(resolve) : setTimeout(resolve, 1)))
  }
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  return {
    due: total,
    answered,
    perSecond: (answered * 1_000) / (performance.now() - startedAt),
    statuses,
    p50Ms: percentile(sorted, 50),
    p99Ms: percentile(sorted, 99),
    maxMs: sorted.at(-1) ?? Number.NaN,
    generatorLateMs: lateMs / Math.max(latenciesMs.length, 1),
  }
}

process.stdout.write(JSON.stringify(await run()))
process.exit(0)
