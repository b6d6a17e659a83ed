import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shorten, startApi, visit } from '../support/hopcount.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

test('an overloaded process sheds statistics and keeps redirecting', async () => {
  // After a signal, keeps the event loop busy for 400 of every 420 ms, as too many requests would.
  const preload = join(temporaryFolder(), 'busy.mjs')
  writeFileSync(
    preload,
    `process.on('SIGWINCH', () => setInterval(() => { const end = Date.now() + 400; while (Date.now() < end); }, 20))\n`,
  )
  const api = await startApi({
    databaseUrl: (await createTestDatabase()).url,
    env: { NODE_OPTIONS: `--import=${preload}` },
  })
  const slug = await shorten(api.origin)
  // A cached link: a lookup in PostgreSQL may take too long under this load. Twice, because the notice of its creation
  // may arrive after the first visit and evict it.
  await visit(api.origin, slug)
  expect((await fetch(`${api.origin}/stats`)).status).toBe(200)
  await visit(api.origin, slug)
  api.process.kill('SIGWINCH')
  const refused = await waitUntil(
    async () => {
      const answer = await fetch(`${api.origin}/stats`)
      // Not the 503 of a database connection that took too long.
      return answer.status === 503 && (await answer.text()).includes('Too busy') && answer
    },
    { what: 'statistics are refused' },
  )
  expect(refused.headers.get('retry-after')).toBe('2')
  expect(refused.headers.get('content-type')).toContain('application/problem+json')
  await visit(api.origin, slug)
})
