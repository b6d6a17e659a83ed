/**
 * The versions of browser and operating system that a user agent states, as people name them: "Chrome 146", "iOS 18.6".
 * A version that browsers have frozen is not one: Windows 11 says NT 10.0, every macOS since 2020 says 10.15.7, Chrome on
 * Android says "10; K" (user-agent reduction), and iOS from 26 on says 18.
 */
import type { UserAgent } from '@hopcount/shared/agents/describe-user-agent.ts'

/** By our name of the browser. Others are apps, whose version says little, or state none of their own. */
const browserVersions: Record<string, RegExp> = {
  Chrome: /\b(?:chrome|crios)\/(\d+)/,
  Chromium: /\bchromium\/(\d+)/,
  Firefox: /\b(?:firefox|fxios)\/(\d+)/,
  Safari: /\bversion\/(\d+(?:\.\d+)?)/,
  'Microsoft Edge': /\b(?:edg|edge|edga|edgios)\/(\d+)/,
  Opera: /\b(?:opr|opx|opt)\/(\d+)/,
  'Opera Mini': /\bopera mini\/(\d+)/,
  'Samsung Internet for Android': /\bsamsungbrowser\/(\d+)/,
  'Yandex Browser': /\byabrowser\/(\d+)/,
  'UC Browser': /\bucbrowser\/(\d+)/,
  'NAVER Whale Browser': /\bwhale\/(\d+)/,
  'Amazon Silk': /\bsilk\/(\d+)/,
  'Android Browser': /\bversion\/(\d+(?:\.\d+)?)/,
  'Internet Explorer': /\b(?:msie |trident\/.*rv:)(\d+)/,
  Vivaldi: /\bvivaldi\/(\d+)/,
}

const windowsVersions: Record<string, string> = {
  '5.1': 'XP',
  '5.2': 'XP',
  '6.0': 'Vista',
  '6.1': '7',
  '6.2': '8',
  '6.3': '8.1',
}

const systemVersions: Record<string, (text: string) => string | undefined> = {
  Windows: text => windowsVersions[/\bwindows nt (\d+\.\d+)/.exec(text)?.[1] ?? ''],
  macOS: text => {
    const version = dotted(/\bmac os x (\d+[._]\d+)/.exec(text)?.[1])
    return version === '10.15' ? undefined : version
  },
  Android: text => {
    const [, version, model] = /\bandroid (\d+(?:\.\d+)?)[^;)]*(?:; (\w+)\))?/.exec(text) ?? []
    return version === '10' && model === 'k' ? undefined : version
  },
  iOS: text => {
    const version = dotted(/\bos (\d+[._]\d+)/.exec(text)?.[1])
    return version?.startsWith('18.') && Number(/\bversion\/(\d+)/.exec(text)?.[1]) > 18 ? undefined : version
  },
}

/** Null: not stated. */
export function agentVersions(text: string | null, { browser, os }: UserAgent) {
  const lower = text?.toLowerCase() ?? ''
  return {
    browser_version: browserVersions[browser]?.exec(lower)?.[1] ?? null,
    os_version: systemVersions[os]?.(lower) ?? null,
  }
}

function dotted(version: string | undefined): string | undefined {
  return version?.replace('_', '.')
}
