/** What a user agent says about who visits: a human, a bot, or a service that previews a link for its readers. */
import type { BotGroup } from './bots/bots.ts'
import { nameBot } from './bots/bots.ts'
import { androidBrowser, imitatedBrowsers, namedBrowsers, oftenClaimed, safari } from './browsers.ts'
import { readHints, sentUserAgent } from './client-hints.ts'
import type { Device } from './device-names.ts'
import { findDevice } from './devices.ts'
import { isAutomatic } from './find-automatic.ts'
import { inAppBrowsers } from './in-app-browsers.ts'
import { namesOf, wordFinder } from './named-words.ts'
import { systems } from './systems.ts'

export type VisitorClass = 'human' | 'bot' | 'preview'

/** Every value is one of our names: what a stranger writes into a header is never passed on. */
export interface UserAgent {
  class: VisitorClass
  browser: string
  /** Empty where it is not told: of bots, and of some devices. */
  os: string
  device: Device | ''
  /** Which bot or preview, and what it came for; empty for humans. */
  bot: string
  botGroup: BotGroup | ''
}

const botBrowser = 'Bot'
const previewBrowser = 'Link preview'
/** Told, and not among our names. */
const other = 'Other'

export const browserNames: readonly string[] = [
  ...new Set([
    ...namesOf(inAppBrowsers, namedBrowsers, imitatedBrowsers),
    ...[androidBrowser, safari, botBrowser, previewBrowser, other],
  ]),
]
export const systemNames: readonly string[] = [...namesOf(systems), other]

const findSystem = wordFinder(systems)
const findNamedBrowser = wordFinder([...inAppBrowsers, ...namedBrowsers])
const findImitatedBrowser = wordFinder(imitatedBrowsers)

const maxLength = 512

/**
 * Describes a user agent, and the hints noted behind it (client-hints.ts); without a user agent it is a bot: every
 * browser sends one.
 */
export function describeUserAgent(text: string | undefined): UserAgent {
  const sent = sentUserAgent(text ?? '')
  const hints = readHints(text ?? '')
  const lower = ` ${sent.slice(0, maxLength).toLowerCase()}`
  const os = hints.os ?? findSystem(lower)
  const named = findNamedBrowser(lower)
  const browser = hints.app ?? named ?? hints.brand ?? findImitatedBrowser(lower) ?? engineBrowser(lower, os)
  const device = hints.mobile ? 'mobile' : findDevice(lower, os)
  const looksLikeBrowser = lower.startsWith(' mozilla/') || lower.startsWith(' opera/')
  const unlikely =
    looksLikeBrowser &&
    ((named !== undefined && !oftenClaimed.has(named)) ||
      (device !== undefined && unlikelyDevices.has(device)))
  const unknown = browser === undefined && os === undefined && device === undefined
  if (hints.preview) return describeBot(' firefox-link-preview', os, device)
  if (hints.agent !== undefined) return describeBot(` ${hints.agent || lower}`, os, device)
  if (hints.headless) return describeBot(' headlesschrome', os, device)
  if (lower === ' ' || unknown || isAutomatic(lower, unlikely)) return describeBot(lower, os, device)
  return {
    class: 'human',
    browser: browser ?? other,
    os: os ?? other,
    device: device ?? '',
    bot: '',
    botGroup: '',
  }
}

const unlikelyDevices = new Set<Device>(['tv', 'console', 'watch', 'car', 'speaker'])

function describeBot(text: string, os: string | undefined, device: Device | undefined): UserAgent {
  const { name, group } = nameBot(text)
  if (group === 'preview')
    return { class: 'preview', browser: previewBrowser, os: '', device: '', bot: name, botGroup: group }
  // An app runs on somebody's device; where a crawler says that it runs on a phone, it pretends.
  const isApp = group === 'app'
  return {
    class: 'bot',
    browser: botBrowser,
    os: isApp ? (os ?? '') : '',
    device: isApp ? (device ?? '') : '',
    bot: name,
    botGroup: group,
  }
}

/** A browser that only names the engine of its system. */
function engineBrowser(text: string, os: string | undefined): string | undefined {
  if (os === 'Android' || os === 'Fire OS') return text.includes('webkit') ? androidBrowser : undefined
  return text.includes('safari') || text.includes('webkit') ? safari : undefined
}
