/** Starts one of everything that tests start, says so, and waits to be interrupted. */
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { browserAvailable, openBrowser } from '../../dashboard/chromium.ts'
import { canMount, mountSmallDisk } from '../../faults/small-disk.ts'
import { startApi, startWorker } from '../../support/hopcount.ts'
import { startPostgres } from '../../support/postgres.ts'
import { redisAvailable, startRedis } from '../../support/redis.ts'

const waitMs = 300_000

test(
  'waits',
  async () => {
    const readyFile = process.env.HOPCOUNT_READY_FILE
    if (readyFile === undefined) throw new Error('HOPCOUNT_READY_FILE is not set')
    const { url } = await startPostgres()
    const redisUrl = redisAvailable() ? (await startRedis()).url : undefined
    await Promise.all([
      startApi({ databaseUrl: url, redisUrl }),
      startWorker({ databaseUrl: url, redisUrl }),
      browserAvailable() && openBrowser(),
    ])
    if (canMount()) mountSmallDisk('1m').fill()
    writeFileSync(readyFile, String(process.pid))
    await sleep(waitMs)
  },
  waitMs,
)
