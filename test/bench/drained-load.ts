import type { BenchSettings } from './bench-part.ts'
import type { RedirectLoad } from './redirect-load.ts'
import { loadRedirects } from './redirect-load.ts'
import type { BenchApi, Services } from './services.ts'
import { drain } from './services.ts'
import type { LoadSample } from './wrk.ts'

/** Measures Hopcount without a worker, then lets a worker count the visits before the next measurement. */
export async function drainedLoad(
  settings: BenchSettings,
  services: Services,
  api: BenchApi,
  options: RedirectLoad,
): Promise<LoadSample> {
  const sample = await loadRedirects(settings, { origin: api.origin, pids: [api.process.pid] }, options)
  await drain(services, api)
  return sample
}
