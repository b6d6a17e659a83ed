import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { maxConnections } from '../../apps/api/limits/limit-connections.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { shorten, startApi, visit } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

test.each([
  [1_048_576, 1_048_476],
  [1_024, 924],
  [256, 156],
  [128, 64],
])('of %i descriptors, %i are for connections', (descriptors, connections) => {
  expect(maxConnections(descriptors)).toBe(connections)
})

test('idle connections leave descriptors for the spool; those beyond the limit are closed, and that is logged', async () => {
  const api = await startApi({ databaseUrl: (await createTestDatabase()).url, descriptors: 256 })
  const line = await api.process.waitForLine(/few connections are possible/)
  expect(JSON.parse(line)).toMatchObject({ level: 40, maxConnections: 156, descriptors: 256 })

  const slug = await shorten(api.origin)
  const sockets = Array.from({ length: 300 }, () => connect(api.port, '127.0.0.1').on('error', () => {}))
  cleanUpLater(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.map(socket => once(socket, 'connect').catch(() => {})))
  for (const socket of sockets) socket.resume()
  await waitUntil(() => sockets.filter(socket => !socket.closed).length <= 156, {
    what: 'connections beyond the limit are closed',
  })
  await api.process.waitForLine(/connections were closed at once/)
  // Each is a segment of its own.
  for (let i = 0; i < 5; i++) {
    await visit(api.origin, slug)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  expect(api.process.output()).not.toMatch(/is failing|EMFILE/)
})
