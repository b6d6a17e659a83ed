/**
 * The one case in which a visit's fate is unknown: the spool can't be written, the queue's reply was lost, and the
 * ledger, which decides then, can't be reached. With a 307 the visit might never be counted, with a 503 it might be:
 * so the request gets no response at all.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { compareCounts } from '../../apps/worker/verify/compare-counts.ts'
import type { RunningApi } from '../support/hopcount.ts'
import { openPool, shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { redisAvailable, startRedis } from '../support/redis.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

describe.skipIf(!redisAvailable())(
  'a visit that the queue may or may not have',
  {
    timeout: 180_000,
  },
  () => {
    let past: { databaseUrl: string; redisUrl: string }
    let api: RunningApi
    let toPostgres: TcpProxy
    let toRedis: TcpProxy
    let slug: string
    let producerFolder: string

    beforeEach(async () => {
      const redis = await startRedis()
      const { url } = await createTestDatabase()
      past = { databaseUrl: url, redisUrl: redis.url }
      toPostgres = await startTcpProxy({ port: Number(new URL(url).port) })
      toRedis = await startTcpProxy({ port: redis.port })
      const through = new URL(url)
      through.port = String(toPostgres.port)
      const spoolDir = temporaryFolder()
      api = await startApi({
        databaseUrl: through.href,
        redisUrl: `redis://127.0.0.1:${toRedis.port}`,
        spoolDir,
      })
      producerFolder = join(spoolDir, readdirSync(spoolDir).find(name => name !== 'spool-id') ?? '')
      slug = await shorten(api.origin)
      await waitUntil(isKnownToProcess, { what: 'the process knows the link by itself', everyMs: 100 })
    })

    /** A link looked up while notices of changed links may have been missed is not cached. HEAD is not counted. */
    async function isKnownToProcess(): Promise<boolean> {
      await head()
      toPostgres.setMode('reset')
      toRedis.setMode('reset')
      const isKnown = (await head()) === 307
      toPostgres.setMode('pass')
      toRedis.setMode('pass')
      await waitUntil(isWhole, { what: 'PostgreSQL and Redis are back' })
      return isKnown
    }

    async function head(): Promise<number> {
      return (await fetch(`${api.origin}/${slug}`, { method: 'HEAD', redirect: 'manual' })).status
    }

    async function isWhole(): Promise<boolean> {
      const answers = await Promise.all([
        fetch(`${api.origin}/stats/${slug}`),
        fetch(`${api.origin}/metrics`),
      ])
      const [, metrics] = await Promise.all(answers.map(answer => answer.text()))
      return answers.every(answer => answer.ok) && (metrics ?? '').includes('hopcount_queue_jobs{')
    }

    test('gets no response, and is counted once if the queue had it', async () => {
      await startWorker(past)
      await visitWithoutAnswer()
      await heal()
      await visit(api.origin, slug)
      await expectCounted(2)
    })

    test('gets no response, and is never counted once the ledger has voided it, although the queue had it', async () => {
      await visitWithoutAnswer()
      await heal()
      await waitUntilVoid()
      await startWorker(past)
      await visit(api.origin, slug)
      await expectCounted(1)
    })

    test('gets no response, and is not counted if the queue never received it', async () => {
      await startWorker(past)
      await visitWithoutAnswer('black-hole')
      await heal()
      await waitUntilVoid()
      await visit(api.origin, slug)
      await expectCounted(1)
    })

    async function visitWithoutAnswer(queue: 'drop-replies' | 'black-hole' = 'drop-replies'): Promise<void> {
      // No segment is open, so the next visit has to open one and can't. A folder that is only missing would be made again.
      rmSync(producerFolder, { recursive: true })
      writeFileSync(producerFolder, '')
      toRedis.setMode(queue)
      toPostgres.setMode('reset')
      expect(await bytesUntilCut(api.port, `GET /${slug} HTTP/1.1\r\nhost: hop.example\r\n\r\n`)).toBe('')
    }

    async function heal(): Promise<void> {
      rmSync(producerFolder)
      toPostgres.setMode('pass')
      toRedis.cutConnections()
      toRedis.setMode('pass')
      await waitUntil(isWhole, { what: 'PostgreSQL and Redis are back' })
    }

    /** The ledger holds the batch as void, before any worker could have counted it. */
    async function waitUntilVoid(): Promise<void> {
      const pool = openPool(past.databaseUrl)
      await waitUntil(
        async () => {
          const { rows } = await pool.query(
            'SELECT FROM ledger UNION ALL SELECT FROM ledger_watermarks WHERE seq > 0',
          )
          return rows.length > 0
        },
        { what: 'the ledger takes the batch in as void' },
      )
    }

    async function expectCounted(visits: number): Promise<void> {
      await waitForVisits(api.origin, slug, visits)
      // A second delivery may be late: wait until the API knows that every batch is in the ledger and sends no more.
      await waitUntil(
        async () =>
          /^hopcount_visits_pending 0$/m.test(await (await fetch(`${api.origin}/metrics`)).text()) &&
          !readdirSync(producerFolder).some(name => /\.(open|sealed)$/.test(name)),
        { what: 'nothing is under way' },
      )
      await waitForVisits(api.origin, slug, visits)
      expect(await compareCounts(openPool(past.databaseUrl))).toEqual([])
    }
  },
)

/** What the server sends before it closes the connection or completes a response. */
function bytesUntilCut(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let received = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text
      if (received.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.setTimeout(30_000, () => {
      reject(new Error('neither answered nor cut'))
      socket.destroy()
    })
    socket.write(request)
  })
}
