/** What an operator does in an hour, with ACCESS=keys, two API processes and the commands. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { spoolDirOf, startApi, startWorker } from '../support/hopcount.ts'
import { startProcess } from '../support/processes.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'
import type { LinkAnswer } from './resource/link-client.ts'
import { linkClient } from './resource/link-client.ts'

const oldTarget = 'https://example.com/old'
const newTarget = 'https://example.com/new'

let databaseUrl: string
let apis: [RunningApi, RunningApi]
beforeAll(async () => {
  databaseUrl = (await createTestDatabase()).url
  const env = { ACCESS: 'keys' }
  apis = await Promise.all([startApi({ databaseUrl, env }), startApi({ databaseUrl, env })])
  await startWorker({ databaseUrl })
})

/** What the command wrote; throws unless it succeeded. */
async function run(command: 'keys' | 'link', ...args: string[]): Promise<string> {
  const started = startProcess({
    script: `apps/api/${command}-command.ts`,
    args,
    env: { DATABASE_URL: databaseUrl, SPOOL_DIR: spoolDirOf({ databaseUrl }) },
  })
  const { code } = await started.exited
  if (code !== 0)
    throw new Error(`npm run ${command} -- ${args.join(' ')} ended with ${code}: ${started.output()}`)
  return started.output()
}

async function makeKey(name: string, ...options: string[]): Promise<{ key: string; send: Send }> {
  const key = /hop_\S+/.exec(await run('keys', 'create', name, ...options))?.[0]
  if (key === undefined) throw new Error('no key was made')
  const client = linkClient(apis[0].origin)
  return {
    key,
    send: (method, path, body) => client.send(method, path, body, { authorization: `Bearer ${key}` }),
  }
}

type Send = (method: string, path: string, body?: unknown) => Promise<LinkAnswer>

/** Status and Location from each process. */
const follow = (slug: string) => Promise.all(apis.map(({ origin }) => linkClient(origin).follow(slug)))
/** Follows the link in both processes until it is stopped; returns when each request was sent, and where it led. */
function followUnderLoad(slug: string) {
  const followed: { sentAt: number; status: number; target: string | null }[] = []
  let stopped = false
  const following = Promise.all(
    [...apis, ...apis].map(async ({ origin }) => {
      for (; !stopped; await sleep(5)) {
        const sentAt = performance.now()
        const [status, target] = await linkClient(origin).follow(slug)
        followed.push({ sentAt, status, target })
      }
    }),
  )
  following.catch(() => {})
  return {
    followed,
    async stop() {
      stopped = true
      await following
      return followed
    },
  }
}

test('an operator makes a key and 1,000 links, corrects one under load, takes one down, disables one for a while, reads the audit, revokes the key', async () => {
  const editor = await makeKey('campaign', '--scopes', 'links:write,stats:read')
  const admin = await makeKey('operator')

  // 1,000 links in one call.
  const rows = Array.from({ length: 1_000 }, (_, row) => ({
    slug: `spring-${row}`,
    long_url: oldTarget,
    tags: ['spring'],
  }))
  const created = await editor.send('POST', '/api/links/bulk', { links: rows })
  expect(created.status).toBe(200)
  const results = created.body.results as { slug: string; status: number }[]
  expect(results.map(({ slug, status }) => [slug, status])).toEqual(rows.map(({ slug }) => [slug, 201]))
  expect((await linkClient(apis[1].origin).send('GET', '/api/links/spring-0')).status).toBe(401)
  expect(await follow('spring-999')).toEqual([
    [307, oldTarget],
    [307, oldTarget],
  ])

  // A target is corrected under load.
  const load = followUnderLoad('spring-1')
  await waitUntil(() => load.followed.length > 20, { what: 'the link is followed' })
  const changed = await editor.send('PATCH', '/api/links/spring-1', { long_url: newTarget })
  expect([changed.status, changed.body.long_url]).toEqual([200, newTarget])
  const changedAt = performance.now()
  await waitUntil(() => load.followed.filter(({ sentAt }) => sentAt > changedAt + 1_000).length > 50, {
    what: 'the link is followed long after the change',
  })
  const followed = await load.stop()
  expect(new Set(followed.map(({ status }) => status))).toEqual(new Set([307]))
  expect(new Set(followed.map(({ target }) => target))).toEqual(new Set([oldTarget, newTarget]))
  const later = followed.filter(({ sentAt }) => sentAt > changedAt + 1_000)
  expect(new Set(later.map(({ target }) => target))).toEqual(new Set([newTarget]))

  // A link is taken down. Its slug and its visits stay.
  await follow('spring-2')
  expect((await editor.send('DELETE', '/api/links/spring-2')).status).toBe(204)
  await waitUntil(async () => (await follow('spring-2')).every(([status]) => status === 410), {
    what: 'the link is gone everywhere',
  })
  const again = await editor.send('POST', '/api/links', { slug: 'spring-2', long_url: oldTarget })
  expect(again.status).toBe(409)
  const stats = await waitUntil(
    async () => {
      const { body } = await editor.send('GET', '/stats/spring-2')
      return body.visits === 2 && body
    },
    { what: 'its visits are counted' },
  )
  expect(stats).toMatchObject({ state: 'deleted' })

  // Another one is disabled and enabled again on the server, without a key.
  await run('link', 'disable', 'spring-4')
  await waitUntil(async () => (await follow('spring-4')).every(([status]) => status === 404), {
    what: 'the link is disabled everywhere',
  })
  await run('link', 'enable', 'spring-4')
  await waitUntil(async () => (await follow('spring-4')).every(([status]) => status === 307), {
    what: 'the link is enabled everywhere',
  })

  // The audit says who did it, and only to an administrator.
  expect((await editor.send('GET', '/api/audit')).status).toBe(403)
  const audit = (await admin.send('GET', '/api/audit?limit=5')).body as unknown as Record<string, unknown>[]
  const by = expect.objectContaining({ name: 'campaign' })
  const byCommand = { subject: 'spring-4', via: 'command', by: null }
  expect(audit).toEqual([
    expect.objectContaining({ ...byCommand, changes: { disabled: [true, false] } }),
    expect.objectContaining({ ...byCommand, changes: { disabled: [false, true] } }),
    expect.objectContaining({ action: 'link.deleted', subject: 'spring-2', via: 'api', by }),
    expect.objectContaining({
      action: 'link.changed',
      subject: 'spring-1',
      by,
      changes: { long_url: [oldTarget, newTarget] },
    }),
    expect.objectContaining({ action: 'link.created', by }),
  ])

  // The key is revoked: refused everywhere, and its links go on working.
  const id = /^\s*(\d+).*campaign/m.exec(await run('keys', 'list'))?.[1] ?? ''
  await run('keys', 'revoke', id)
  await waitUntil(
    async () => {
      const headers = { authorization: `Bearer ${editor.key}` }
      const answers = await Promise.all(
        apis.map(({ origin }) => linkClient(origin).send('GET', '/api/links', undefined, headers)),
      )
      return answers.every(({ status }) => status === 401)
    },
    { what: 'the key is refused everywhere' },
  )
  expect(await follow('spring-3')).toEqual([
    [307, oldTarget],
    [307, oldTarget],
  ])
})
