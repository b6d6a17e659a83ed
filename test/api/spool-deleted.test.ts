import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shorten, startApi, startWorker, visit, waitForVisits } from '../support/hopcount.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

test('a spool that is deleted under a running API is made again with the key of the queue, and that is logged', async () => {
  const { url } = await createTestDatabase()
  const spoolDir = join(temporaryFolder(), 'spool')
  const installation = { databaseUrl: url, spoolDir }
  const api = await startApi(installation)
  const slug = await shorten(api.origin)
  await visit(api.origin, slug)
  const key = readFileSync(join(spoolDir, 'queue.key'))
  rmSync(spoolDir, { recursive: true, maxRetries: 5 })
  await visit(api.origin, slug)
  await waitUntil(
    () => readdirSync(spoolDir, { recursive: true, encoding: 'utf8' }).some(name => name.endsWith('alive')),
    { what: 'the folder of the producer and its socket are back' },
  )
  const line = await api.process.waitForLine(/was deleted while in use/)
  expect(JSON.parse(line)).toMatchObject({ level: 50, folder: expect.stringContaining(spoolDir) })
  await visit(api.origin, slug)
  await startWorker(installation)
  await waitForVisits(api.origin, slug, 3)
  // Another process finds the key where it was.
  expect(readFileSync(join(spoolDir, 'queue.key'))).toEqual(key)
  await startApi(installation)
})
