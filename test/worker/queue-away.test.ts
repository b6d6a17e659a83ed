import { expect, test } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { startProcess } from '../support/processes.ts'
import { createTestDatabase } from '../support/test-database.ts'

test('while the queue is away npm run verify compares all the same, and npm run queue says so', async () => {
  const env = {
    DATABASE_URL: (await createTestDatabase()).url,
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  }
  const verify = startProcess({ script: 'apps/worker/verify.ts', env })
  const queue = startProcess({ script: 'apps/worker/queue-command.ts', args: ['failed'], env })
  expect(await verify.exited).toMatchObject({ code: 0 })
  expect(verify.output()).toContain('the queue in Redis (REDIS_URL) can not be reached')
  expect(verify.output()).toContain('raw visits, aggregates and ledger agree')
  expect(await queue.exited).toMatchObject({ code: 1 })
  expect(queue.output()).toContain('hopcount queue: the queue in Redis (REDIS_URL) can not be reached')
})
