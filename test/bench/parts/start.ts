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

/** The time from the start of the process to its first redirect. */
export const start: BenchPart = {
  title: 'Start of an API process until its first response',
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
        { what: 'start to first response', measured: seconds.median, must: 'at most', bound: 1, unit: 's' },
      ],
      tables: [
        {
          title: `${starts} consecutive starts`,
          columns: ['seconds'],
          rows: [{ what: 'start of the process → first 307 read', cells: [seconds] }],
        },
      ],
      plot: { title: 'Start to first response', unit: 's', bars: [{ label: 'API process', value: seconds }] },
      notes: [
        'Requested every 5 ms until it responds; services are running, files are in the page cache. The process may use all cores.',
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

/** A socket costs this process less than fetch() does. */
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
