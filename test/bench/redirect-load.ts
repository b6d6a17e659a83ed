import { fileURLToPath } from 'node:url'
import type { BenchSettings } from './bench-part.ts'
import type { LoadSample } from './wrk.ts'
import { load } from './wrk.ts'

/** A measured server: its address, and the processes whose CPU time counts. */
export interface Contender {
  origin: string
  pids: number[]
}

export interface RedirectLoad {
  /** Slugs are those of `npm run seed` with this many links; 1: always the same one, without a script. */
  links: number
  visitors?: 'none' | 'mix' | 'unique'
  /** The share of requests for slugs that don't exist. */
  unknownShare?: number
  connections?: number
  seconds?: number
}

const wrkFolder = fileURLToPath(new URL('wrk', import.meta.url))

/** Requests links with wrk, drawn by Zipf's law with exponent 1. */
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

/** Figures of a server that refuses requests are meaningless. */
export function assertAllAnswered(samples: LoadSample[], what: string): void {
  const refused = samples.reduce((sum, sample) => sum + sample.refused + sample.socketErrors, 0)
  if (refused > 0)
    throw new Error(`${what}: ${refused} requests were refused or failed, so the figures are meaningless`)
}
