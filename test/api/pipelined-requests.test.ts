/** What is behind a valid request on the same connection does not keep it from its response: its visit is counted. */
import { beforeAll, expect, test } from 'vitest'
import type { RunningApi } from '../support/hopcount.ts'
import { shorten, startApi } from '../support/hopcount.ts'
import { followers, getRequest, statusesOfPacket } from '../support/pipelined-requests.ts'
import { createTestDatabase } from '../support/test-database.ts'

let api: RunningApi
let slug: string

beforeAll(async () => {
  api = await startApi({ databaseUrl: (await createTestDatabase()).url })
  slug = await shorten(api.origin)
})

test.each(Object.entries(followers))('valid requests before %s get their responses', async (_, follower) => {
  // The first one is looked up in the database, the others in memory.
  const slugs = [await shorten(api.origin), slug, slug]
  for (const count of [1, 3]) {
    const valid = slugs.slice(0, count).map(each => getRequest(`/${each}`))
    expect(await statusesOfPacket(api.port, valid, follower)).toEqual([
      ...valid.map(() => 307),
      ...(follower.status === undefined ? [] : [follower.status]),
    ])
  }
})

test('a valid request before one that never ends gets its response, and the other one 408', async () => {
  const slow = [
    { bytes: 'GET /half HTTP/1.1\r\nho', status: 408 },
    {
      bytes:
        'POST /shorten HTTP/1.1\r\nhost: hop\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      status: 408,
    },
  ]
  const statuses = await Promise.all(
    slow.map(follower => statusesOfPacket(api.port, [getRequest(`/${slug}`)], follower)),
  )
  expect(statuses).toEqual([
    [307, 408],
    [307, 408],
  ])
})

test('garbage that goes on gets one response', async () => {
  const bytes = 'no HTTP at all\r\n\r\n'.repeat(10_000)
  expect(await statusesOfPacket(api.port, [getRequest(`/${slug}`)], { bytes, status: 400 })).toEqual([
    307, 400,
  ])
})
