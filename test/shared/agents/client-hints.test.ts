import fc from 'fast-check'
import { expect, test } from 'vitest'
import { androidApps } from '../../../apps/shared/agents/android-apps.ts'
import type { HintHeaders } from '../../../apps/shared/agents/client-hints.ts'
import { noteHints, sentUserAgent } from '../../../apps/shared/agents/client-hints.ts'
import { browserNames, describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'
import { decodeBatch } from '../../../apps/shared/visits/decode-batch.ts'
import { encodeFrame } from '../../../apps/shared/visits/visit-batch.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const onWindows = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/141.0.0.0 Safari/537.36`
const onLinux = `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/141.0.0.0 Safari/537.36`
const onAndroid = `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/141.0.0.0 Mobile Safari/537.36`
const webView = `Mozilla/5.0 (Linux; Android 14; SM-A546B; wv) ${webkit} Version/4.0 Chrome/141.0.7390.97 Mobile Safari/537.36`

function brandList(brand: string): string {
  return `"${brand}";v="141", "Not?A_Brand";v="8", "Chromium";v="141"`
}

test.each([
  ['Brave', { 'user-agent': onWindows, 'sec-ch-ua': brandList('Brave') }],
  ['DuckDuckGo', { 'user-agent': onAndroid, 'sec-ch-ua': brandList('DuckDuckGo') }],
  ['Microsoft Edge', { 'user-agent': onWindows, 'sec-ch-ua': brandList('Microsoft Edge') }],
  ['Facebook', { 'user-agent': webView, 'x-requested-with': 'com.facebook.katana' }],
  [
    'Telegram',
    {
      'user-agent': webView,
      'x-requested-with': 'org.telegram.messenger',
      'sec-ch-ua': brandList('Android WebView'),
    },
  ],
  ['DuckDuckGo', { 'user-agent': webView, 'x-requested-with': 'com.duckduckgo.mobile.android' }],
  ['Chrome', { 'user-agent': webView, 'x-requested-with': 'com.example.unknown' }],
  ['Chrome', { 'user-agent': onWindows, 'x-requested-with': 'XMLHttpRequest' }],
  ['Chrome', { 'user-agent': onWindows, 'sec-ch-ua': brandList('Google Chrome') }],
] satisfies [string, HintHeaders][])(
  '%s is told by headers beside the user agent: %j',
  (browser, headers) => {
    const text = noteHints(headers)
    expect(describeUserAgent(text)).toMatchObject({ class: 'human', browser })
    expect(sentUserAgent(text ?? '')).toBe(headers['user-agent'])
  },
)

test('a headless browser that hides it in its user agent is a bot', () => {
  const text = noteHints({ 'user-agent': onLinux, 'sec-ch-ua': brandList('HeadlessChrome') })
  expect(describeUserAgent(text)).toMatchObject({
    class: 'bot',
    bot: 'Headless browsers',
    botGroup: 'library',
  })
})

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'

test.each([
  [firefox, { 'x-firefox-ai': '1' }, 'preview', 'Firefox preview', 'preview'],
  [onLinux, { 'signature-agent': '"https://chatgpt.com"' }, 'bot', 'ChatGPT-User', 'ai fetcher'],
  [onLinux, { 'signature-agent': 'sig="https://chatgpt.com"' }, 'bot', 'ChatGPT-User', 'ai fetcher'],
  [onAndroid, { 'signature-agent': 'g="https://agent.bot.goog/x"' }, 'bot', 'Gemini', 'ai fetcher'],
  [onLinux, { 'signature-agent': '"https://unknown.example"' }, 'bot', 'Other', 'other'],
  [onLinux, { 'signature-agent': 'junk' }, 'bot', 'Other', 'other'],
  ['GPTBot/1.3', { 'signature-agent': '"https://unknown.example"' }, 'bot', 'GPTBot', 'ai crawler'],
  [
    onLinux,
    { 'signature-agent': '"https://chatgpt.com"', 'sec-ch-ua': brandList('Brave') },
    'bot',
    'ChatGPT-User',
    'ai fetcher',
  ],
] satisfies [string, HintHeaders, string, string, string][])(
  'no person looks at the page that %s with %j loads: %s, %s',
  (userAgent, headers, visitorClass, bot, botGroup) => {
    const text = noteHints({ 'user-agent': userAgent, ...headers })
    expect(describeUserAgent(text)).toMatchObject({ class: visitorClass, bot, botGroup })
    expect(sentUserAgent(text ?? '')).toBe(userAgent)
  },
)

test('any other value of X-Firefox-AI is of no browser', () => {
  expect(noteHints({ 'user-agent': firefox, 'x-firefox-ai': 'x' })).toBe(firefox)
})

test.each([
  ['"Chrome OS"', '?0', 'Chrome OS', 'desktop'],
  ['"Android"', '?1', 'Android', 'mobile'],
  ['"macOS"', '?0', 'macOS', 'desktop'],
])('a platform of %s and mobile %s contradict a user agent: %s, %s', (platform, mobile, os, device) => {
  const text = noteHints({
    'user-agent': onLinux,
    'sec-ch-ua': brandList('Google Chrome'),
    'sec-ch-ua-platform': platform,
    'sec-ch-ua-mobile': mobile,
  })
  expect(describeUserAgent(text)).toMatchObject({ class: 'human', browser: 'Chrome', os, device })
})

test.each([
  [onWindows, '"Windows"', '?0'],
  [onAndroid, '"Android"', '?1'],
  [onLinux, '"Linux"', '?0'],
])('hints that say what the user agent says add nothing to it: %s', (userAgent, platform, mobile) => {
  const headers = {
    'user-agent': userAgent,
    'sec-ch-ua': brandList('Google Chrome'),
    'sec-ch-ua-platform': platform,
    'sec-ch-ua-mobile': mobile,
  }
  expect(noteHints(headers)).toBe(userAgent)
})

test('every app is one of our browsers', () => {
  for (const browser of Object.values(androidApps)) expect(browserNames).toContain(browser)
})

test('whatever the hints are, the user agent comes back as it was sent, and fits into a frame with its note', () => {
  const hint = fc.option(
    fc.oneof(
      fc.constantFrom('com.facebook.katana', '__proto__', 'constructor', '"Chrome OS"', '?1'),
      fc.constantFrom('Brave', 'Opera GX', 'HeadlessChrome').map(brandList),
      fc.string({ maxLength: 200 }),
    ),
    { nil: undefined },
  )
  const headers = fc.record({
    'user-agent': fc.string({
      unit: fc.constantFrom('a', 'Z', ' ', '/', ';', '='),
      minLength: 1,
      maxLength: 700,
    }),
    ...{ 'sec-ch-ua': hint, 'sec-ch-ua-platform': hint, 'sec-ch-ua-mobile': hint, 'x-requested-with': hint },
    ...{ 'signature-agent': hint, 'x-firefox-ai': hint },
  })
  fc.assert(
    fc.property(headers, sent => {
      const text = noteHints(sent) ?? ''
      const frame = encodeFrame([{ linkId: 1, referrer: undefined, userAgent: text }], 0, new Map())
      const kept = decodeBatch(frame).visits[0]?.userAgent ?? ''
      expect(kept).toBe(text.slice(0, 512))
      expect(describeUserAgent(kept)).toEqual(describeUserAgent(text))
      expect(sent['user-agent'].startsWith(sentUserAgent(text))).toBe(true)
      expect(sentUserAgent(text).length).toBeGreaterThanOrEqual(Math.min(sent['user-agent'].length, 400))
    }),
  )
})
