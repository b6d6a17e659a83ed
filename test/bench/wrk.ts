/**
 * Closed-loop load from wrk, with one thread on the generator's core. Without wrk, autocannon (through npx) generates
 * plain loads; loads with a script need wrk.
 */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { endWithUs } from '../support/run.ts'
import type { Cores } from './cores.ts'
import { pinnedCommand } from './cores.ts'
import { cpuSeconds } from './process-usage.ts'

export interface LoadSample {
  requests: number
  requestsPerSecond: number
  /** Of the given server processes. */
  cpuMicrosPerRequest: number
  p50Ms: number
  p99Ms: number
  /** Responses with 4xx or 5xx. */
  refused: number
  socketErrors: number
}

export interface LoadOptions {
  url: string
  seconds: number
  cores: Cores
  /** The processes whose CPU time counts. */
  serverPids: number[]
  connections?: number
  /** A file in test/bench/wrk/. */
  script?: string
  scriptArguments?: string[]
}

const hasWrk = spawnSync('wrk', ['--version']).error === undefined

export async function load(options: LoadOptions): Promise<LoadSample> {
  const cpuBefore = cpuSeconds(...options.serverPids)
  const measured = hasWrk ? await runWrk(options) : await runAutocannon(options)
  const cpu = cpuSeconds(...options.serverPids) - cpuBefore
  return { ...measured, cpuMicrosPerRequest: (cpu * 1e6) / Math.max(measured.requests, 1) }
}

type Answers = Omit<LoadSample, 'cpuMicrosPerRequest'>

async function runWrk(options: LoadOptions): Promise<Answers> {
  const { url, seconds, connections = 64, script, scriptArguments = [] } = options
  const command = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s']
  if (script !== undefined) command.push('-s', fileURLToPath(new URL(`wrk/${script}`, import.meta.url)))
  command.push(url)
  if (scriptArguments.length > 0) command.push('--', ...scriptArguments)
  const text = await outputOf(options.cores, command, seconds)
  const [, requests = '0', duration = '', unit = 's'] =
    /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(text) ?? missing('requests', text)
  const [, connect, read, write, timeout] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? []
  return {
    requests: Number(requests),
    requestsPerSecond: Number(requests) / (inMilliseconds(duration, unit) / 1_000),
    p50Ms: latency(text, '50'),
    p99Ms: latency(text, '99'),
    refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
    socketErrors: [connect, read, write, timeout].reduce((sum, count) => sum + Number(count ?? 0), 0),
  }
}

function latency(text: string, percent: string): number {
  const [, value = '', unit = 'ms'] =
    new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)`, 'm').exec(text) ?? missing('latency', text)
  return inMilliseconds(value, unit)
}

function inMilliseconds(value: string, unit: string): number {
  const factor = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit]
  return Number(value) * (factor ?? Number.NaN)
}

interface AutocannonReport {
  duration: number
  non2xx: number
  '3xx': number
  errors: number
  requests: { total: number }
  latency: { p50: number; p99: number }
}

async function runAutocannon(options: LoadOptions): Promise<Answers> {
  const { url, seconds, connections = 64, script } = options
  if (script !== undefined) throw new Error(`the load ${script} needs wrk`)
  const command = [
    'npx',
    '--yes',
    'autocannon@8',
    '-c',
    String(connections),
    '-d',
    String(seconds),
    '-j',
    url,
  ]
  const report = JSON.parse(await outputOf(options.cores, command, seconds)) as AutocannonReport
  return {
    requests: report.requests.total,
    requestsPerSecond: report.requests.total / report.duration,
    p50Ms: report.latency.p50,
    p99Ms: report.latency.p99,
    refused: report.non2xx - report['3xx'],
    socketErrors: report.errors,
  }
}

/** Runs a generator on its core; it is killed if it takes 30 s longer than planned. */
export async function outputOf(cores: Cores, command: string[], seconds: number): Promise<string> {
  const [file, args] = pinnedCommand(cores, cores.generator, command)
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const pid = child.pid
  if (pid !== undefined) endWithUs(pid)
  const timer = setTimeout(() => child.kill('SIGKILL'), (seconds + 30) * 1_000)
  let output = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${complaints}${output}`)
  return output
}

function missing(what: string, text: string): never {
  throw new Error(`no ${what} in wrk’s output: ${text}`)
}
