/** A process knows whether it hears of link changes. */
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listenForLinkChanges } from '../../apps/api/links/link-changes.ts'
import { openLog } from '../../apps/shared/log.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { openPool } from '../support/hopcount.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitUntil } from '../support/wait-until.ts'

function listen(databaseUrl: string) {
  const heard: string[] = []
  let gaps = 0
  const changes = listenForLinkChanges({
    databaseUrl,
    log: openLog({ name: 'test', level: 'silent' }),
    onChange: slug => heard.push(slug),
    onGap: () => gaps++,
    onListening: () => {},
  })
  cleanUpLater(() => changes.close())
  return { changes, heard, gaps: () => gaps }
}

test('a connection that died without a sign is replaced, and its gap is known', async () => {
  const { url } = await createTestDatabase()
  const address = new URL(url)
  const proxy = await startTcpProxy({ port: Number(address.port) })
  address.port = String(proxy.port)
  const { changes, heard, gaps } = listen(address.href)
  await waitUntil(changes.isListening, { what: 'it listens' })

  const before = gaps()
  proxy.abandonConnections()
  await waitUntil(() => gaps() > before, { what: 'the gap is known' })
  await waitUntil(changes.isListening, { what: 'it listens again' })
  await openPool(url).query(`NOTIFY hopcount_links, 'one two'`)
  await waitUntil(() => heard.length === 2, { what: 'a change is heard' })
  expect(heard).toEqual(['one', 'two'])
})

test('a process that has heard nothing for a second knows that it is not current', async () => {
  const { url } = await createTestDatabase()
  const address = new URL(url)
  const proxy = await startTcpProxy({ port: Number(address.port) })
  address.port = String(proxy.port)
  const { changes, heard, gaps } = listen(address.href)
  await waitUntil(changes.isCurrent, { what: 'it is current' })

  const before = gaps()
  proxy.abandonConnections()
  await openPool(url).query(`NOTIFY hopcount_links, 'one'`)
  const changedAt = performance.now()
  await waitUntil(() => performance.now() > changedAt + 1_000, { what: 'a second has passed' })
  expect([changes.isCurrent(), heard]).toEqual([false, []])
  await waitUntil(() => changes.isCurrent(), { what: 'it is current again' })
  expect(gaps()).toBeGreaterThan(before)
})

test('a channel that is added later is heard before the process is current again', async () => {
  const { url } = await createTestDatabase()
  const { changes } = listen(url)
  await waitUntil(changes.isCurrent, { what: 'it is current' })
  const payloads: string[] = []
  let gaps = 0
  changes.onNotice('hopcount_other', { heard: payload => payloads.push(payload), onGap: () => gaps++ })
  expect(changes.isCurrent()).toBe(false)
  await waitUntil(changes.isCurrent, { what: 'it is current again' })
  expect(gaps).toBe(1)
  await openPool(url).query(`NOTIFY hopcount_other, 'some payload'`)
  await changes.catchUp()
  expect(payloads).toEqual(['some payload'])
})

test('a connection that carries queries but no notices is not taken for one that listens', async () => {
  const { url } = await createTestDatabase()
  const proxy = await startDeafProxy(url)
  const { changes, gaps } = listen(proxy.url)
  await waitUntil(changes.isListening, { what: 'it listens' })
  const before = gaps()
  proxy.deafen()
  await waitUntil(() => gaps() > before && !changes.isListening(), { what: 'it knows that it is deaf' })
})

/** Leaves out notices once it is deaf. Replies are so short here that each chunk has whole messages. */
async function startDeafProxy(databaseUrl: string) {
  const url = new URL(databaseUrl)
  const target = { host: url.hostname, port: Number(url.port) }
  let deaf = false
  const server = createServer(client => {
    const upstream = connect(target)
    client.on('data', bytes => upstream.write(bytes))
    upstream.on('data', (bytes: Buffer) => client.write(deaf ? withoutNotices(bytes) : bytes))
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUpLater(() => server.close())
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    deafen() {
      deaf = true
    },
  }
}

/** A message is its type, its length without the type, and its body; NotificationResponse has type A. */
function withoutNotices(bytes: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    if (bytes[at] !== 'A'.charCodeAt(0)) kept.push(bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat(kept)
}
