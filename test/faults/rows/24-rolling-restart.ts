import { freePort } from '../../../apps/stack/processes/free-port.ts'
import type { Row } from '../row.ts'
import { strikeUnderLoad } from '../strike-under-load.ts'

export const rollingRestart: Row = {
  number: 24,
  title: 'rolling restart of all API and worker processes: no request is refused, nothing is lost',
  system: { partsLater: true, apiEnv: { WEB_CONCURRENCY: '2' } },
  async round(system, context) {
    if (system.apis.length === 0) {
      await system.startApi({}, await freePort())
      await system.startWorker()
      await system.startWorker()
      system.slugs.push(...(await system.prepareLinks(5)))
    }
    const { process } = system.api()
    const rolled = () => process.output().split('all API processes have been replaced').length
    const result = await strikeUnderLoad(system, context, {
      strike: () => {},
      async lasts() {
        const before = rolled()
        process.kill('SIGHUP')
        for (const old of system.workers.splice(0, 2)) {
          await system.startWorker()
          await old.stop()
        }
        const deadline = performance.now() + 60_000
        while (rolled() === before && performance.now() < deadline)
          await new Promise(resolve => setTimeout(resolve, 50))
        if (rolled() === before) throw new Error('the API processes were not replaced within 60 s')
      },
      heal: () => {},
      promises: { redirects: 100, shorten: 100, stats: 100, drainedWithinMs: 60_000 },
    })
    const { refused, unknown } = result.verdict
    if (refused + unknown > 0) result.failures.push(`${refused} requests refused, ${unknown} cut off`)
    return result
  },
}
