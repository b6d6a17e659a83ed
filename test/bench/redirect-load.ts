import { fileURLToPath } from 'node:url'
import type { BenchSettings } from './bench-part.ts'
import type { LoadSample } from './wrk.ts'
import { load } from './wrk.ts'

/** A server under measurement: where it answers, and whose CPU time it costs. */
export interface Contender {
  origin: string
  pids: number[]
}

export interface RedirectLoad {
  /** Slugs are those of `npm run seed` with this many links; 1: always the same, without a script. */
  links: number
  visitors?: 'none' | 'mix' | 'unique'
  /** Of requests for slugs that don't exist. */
  unknownShare?: number
  connections?: number
  seconds?: number
}

const wrkFolder = fileURLToPath(new URL('wrk', import.meta.url))

/** wrk follows links, drawn by a Zipf law of exponent 1. */
export function loadRedirects(
  settings: BenchSettings,
  { origin, pids }: Contender,
  options: RedirectLoad,
): Promise<LoadSample> {
  const { links, visitors = 'none', unknownShare = 0, connections = 64, seconds = settings.seconds } = options
  const common = {
    seconds: wholeSeconds(seconds),
    cores: settings.cores,
    serverPids: pids,
    connections,
  }
  if (links === 1 && visitors === 'none' && unknownShare === 0)
    return load({ ...common, url: `${origin}/s0000001` })
  return load({
    ...common,
    url: origin,
    script: 'redirects.lua',
    scriptArguments: [
      's',
      String(links),
      links === 1 ? 'one' : 'zipf',
      visitors,
      String(unknownShare),
      wrkFolder,
    ],
  })
}

/** wrk counts in whole seconds. */
export function wholeSeconds(seconds: number): number {
  return Math.max(1, Math.round(seconds))
}

/** Compiles the server's hot paths before anything is measured. */
export async function warmUp(
  settings: BenchSettings,
  contender: Contender,
  options: RedirectLoad,
): Promise<LoadSample> {
  return loadRedirects(settings, contender, { ...options, seconds: Math.min(2, settings.seconds) })
}

/** Figures of a server that refuses are worth nothing. */
export function assertAllAnswered(samples: LoadSample[], what: string): void {
  const refused = samples.reduce((sum, sample) => sum + sample.refused + sample.socketErrors, 0)
  if (refused > 0)
    throw new Error(`${what}: ${refused} requests were refused or broken, so its figures mean nothing`)
}
