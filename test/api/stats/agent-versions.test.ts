import { expect, test } from 'vitest'
import { agentVersions } from '../../../apps/api/stats/visits/agent-versions.ts'
import { describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const iphone = (os: string, rest: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ${rest}`

test.each([
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/146.0.0.0 Safari/537.36`,
    'Chrome 146, Windows',
  ],
  [`Mozilla/5.0 (Windows NT 6.1) ${webkit} Chrome/109.0.0.0 Safari/537.36`, 'Chrome 109, Windows 7'],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/146.0.0.0 Safari/537.36 Edg/145.0.0.0`,
    'Microsoft Edge 145, Windows',
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15`,
    'Safari 18.6, macOS',
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10.13; rv:115.0) Gecko/20100101 Firefox/115.0`,
    'Firefox 115, macOS 10.13',
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/146.0.0.0 Mobile Safari/537.36`,
    'Chrome 146, Android',
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; SM-G973F) ${webkit} Chrome/120.0.0.0 Mobile Safari/537.36`,
    'Chrome 120, Android 10',
  ],
  [
    `Mozilla/5.0 (Linux; Android 15; SM-S921B) ${webkit} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet for Android 27, Android 15',
  ],
  ['Mozilla/5.0 (Android 14; Mobile; rv:148.0) Gecko/148.0 Firefox/148.0', 'Firefox 148, Android 14'],
  [iphone('17_5', 'Version/17.5 Mobile/15E148 Safari/604.1'), 'Safari 17.5, iOS 17.5'],
  [iphone('18_6', 'Version/26.0 Mobile/15E148 Safari/604.1'), 'Safari 26.0, iOS'],
  [iphone('18_5', 'CriOS/146.0.0.0 Mobile/15E148 Safari/604.1'), 'Chrome 146, iOS 18.5'],
  [
    'Mozilla/5.0 (Windows NT 6.3; WOW64; Trident/7.0; rv:11.0) like Gecko',
    'Internet Explorer 11, Windows 8.1',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0', 'Firefox 148, Linux'],
])('%s', (text, expected) => {
  const agent = describeUserAgent(text)
  const { browser_version: browser, os_version: os } = agentVersions(text, agent)
  const named = (...parts: (string | null)[]) => parts.filter(part => part !== null).join(' ')
  expect(`${named(agent.browser, browser)}, ${named(agent.os, os)}`).toBe(expected)
})

test('nothing is made up of text that states nothing', () => {
  for (const text of [null, '', 'curl/8.9.1', 'Chrome/', 'Mozilla/5.0 (Windows NT )', 'x'.repeat(5_000)])
    expect(agentVersions(text, describeUserAgent(text ?? undefined))).toEqual({
      browser_version: null,
      os_version: null,
    })
})
