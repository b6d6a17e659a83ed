import { connect } from 'node:net'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import { startProcess } from '../../support/processes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { BenchPart } from '../bench-part.ts'
import { pin } from '../cores.ts'
import type { Services } from '../services.ts'
import { seed, startServices } from '../services.ts'
import { summarize } from '../summary.ts'

/** From the start of the process to its first redirect. */
export const start: BenchPart = {
  title: 'Start of an API process to its first answer',
  async run(settings) {
    const { cores, starts } = settings
    const services = await startServices()
    await seed(services, 1)
    pin(cores, cores.generator, services.postgres.pid, services.redis.pid, services.cache.pid)
    await secondsToFirstAnswer(services)
    const samples: number[] = []
    for (let i = 0; i < starts; i++) samples.push(await secondsToFirstAnswer(services))
    const seconds = summarize(samples)
    return {
      goals: [
        { what: 'start to first answer', measured: seconds.median, must: 'at most', bound: 1, unit: 's' },
      ],
      tables: [
        {
          title: `${starts} starts in a row`,
          columns: ['seconds'],
          rows: [{ what: 'start of the process → first 307 read', cells: [seconds] }],
        },
      ],
      plot: { title: 'Start to first answer', unit: 's', bars: [{ label: 'API process', value: seconds }] },
      notes: [
        'Asked every 5 ms until it answers; services are up, files are in the page cache. The process may use all cores.',
      ],
    }
  },
}

async function secondsToFirstAnswer({ installation }: Services): Promise<number> {
  const port = await freePort()
  const startedAt = performance.now()
  const started = startProcess({
    script: 'apps/api/main.ts',
    env: {
      DATABASE_URL: installation.databaseUrl,
      REDIS_URL: installation.redisUrl,
      ...installation.env,
      PORT: String(port),
      SPOOL_DIR: temporaryFolder(),
    },
  })
  await waitUntil(() => firstLine(port).then(line => line.includes(' 307 ')), {
    what: 'the first 307',
    everyMs: 5,
  })
  const seconds = (performance.now() - startedAt) / 1_000
  await started.stop()
  return seconds
}

/** fetch() would cost this process more than a socket does. */
function firstLine(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.end('GET /s0000001 HTTP/1.1\r\nHost: hop.example\r\nConnection: close\r\n\r\n'),
    )
    socket.setEncoding('latin1')
    socket.once('data', text => {
      socket.destroy()
      resolve(String(text).split('\r\n')[0] ?? '')
    })
    socket.once('close', () => resolve(''))
    socket.once('error', reject)
  })
}
