/**
 * What a browser says about itself beside its user agent: Client Hints that are sent unasked (Sec-CH-UA, -Platform and
 * -Mobile; wicg.github.io/ua-client-hints) and `X-Requested-With`, in which Android's web views name their app. Also what
 * says that no person looks at the page: `Signature-Agent`, with which agents that drive a browser sign their requests (Web
 * Bot Auth, draft-meunier-web-bot-auth-architecture), and `X-Firefox-AI` of Firefox's link previews.
 *
 * Only what the user agent lacks is kept, as a note behind it in the same text, so visits without any cost nothing, and
 * batches, tables and the remembering of texts stay as they are. The mark before the note is a control character, which
 * no header can hold (RFC 9110, section 5.5; the HTTP parser refuses it): nobody can send a note, and responses and
 * exports take it off. A note holds words from the tables below only, never what a stranger wrote.
 */
import { androidApps } from './android-apps.ts'

/** Headers as the HTTP parser gives them. */
export type HintHeaders = Record<string, string | string[] | undefined>

/** What a note says. `app` and `brand` are names of browsers in our tables; `headless` is no browser of a person. */
export interface Hints {
  app?: string | undefined
  brand?: string | undefined
  os?: string | undefined
  mobile?: boolean | undefined
  headless?: boolean | undefined
  /** An agent signed the request: a word by which bots are named (bots.ts), empty for an unknown one. */
  agent?: string | undefined
  /** The browser shows a preview of the link. */
  preview?: boolean | undefined
}

const noteMark = '\u001f'
const maxUserAgentLength = 512

/** By brand: our name, and what the browser's user agent has where it says the same. */
const brands = new Map<string, { name: string; word: string }>([
  ['Brave', { name: 'Brave', word: 'Brave/' }],
  ['DuckDuckGo', { name: 'DuckDuckGo', word: 'DuckDuckGo/' }],
  ['Vivaldi', { name: 'Vivaldi', word: 'Vivaldi/' }],
  ['Ecosia', { name: 'Ecosia', word: 'Ecosia' }],
  ['Microsoft Edge', { name: 'Microsoft Edge', word: 'Edg' }],
  ['Opera', { name: 'Opera', word: 'OPR/' }],
  ['Opera GX', { name: 'Opera', word: 'OPR/' }],
  ['YaBrowser', { name: 'Yandex Browser', word: 'YaBrowser/' }],
  ['Samsung Internet', { name: 'Samsung Internet for Android', word: 'SamsungBrowser/' }],
  ['Whale', { name: 'NAVER Whale Browser', word: 'Whale/' }],
  ['HuaweiBrowser', { name: 'Huawei Browser', word: 'HuaweiBrowser/' }],
  ['Avast Secure Browser', { name: 'Avast Secure Browser', word: 'Avast/' }],
  ['AVG Secure Browser', { name: 'AVG Secure Browser', word: 'AVG/' }],
  ['CCleaner Browser', { name: 'CCleaner Browser', word: 'CCleaner/' }],
  ['HeadlessChrome', { name: 'HeadlessChrome', word: 'HeadlessChrome/' }],
])
const brandPattern = new RegExp(`"(${[...brands.keys()].join('|')})"`)

/** By platform as the hint names it: our name, and what the user agent has where it says the same. */
const platforms = new Map<string, { name: string; word: string }>([
  ['"Windows"', { name: 'Windows', word: 'Windows' }],
  ['"macOS"', { name: 'macOS', word: 'Mac OS' }],
  ['"Linux"', { name: 'Linux', word: 'Linux' }],
  ['"Android"', { name: 'Android', word: 'Android' }],
  ['"Chrome OS"', { name: 'Chrome OS', word: 'CrOS' }],
])

/** By the host of their key directory: the word by which bots are named (bots.ts). */
const signedAgents = new Map<string, string>([
  ['chatgpt.com', 'chatgpt-user'],
  ['agent.bot.goog', 'google-agent'],
])

/** The text that a visit keeps: the user agent, and behind it what the other headers add. */
export function noteHints(headers: HintHeaders): string | undefined {
  const userAgent = headers['user-agent']
  if (typeof userAgent !== 'string') return undefined
  const app = headers['x-requested-with']
  const brandList = headers['sec-ch-ua']
  const signedBy = headers['signature-agent']
  const preview = headers['x-firefox-ai']
  if (app === undefined && brandList === undefined && signedBy === undefined && preview === undefined)
    return userAgent
  let note = ''
  if (signedBy !== undefined) note += noteAgent(String(signedBy))
  if (preview === '1') note += ';preview'
  if (typeof app === 'string' && Object.hasOwn(androidApps, app)) note += `;app=${app}`
  if (typeof brandList === 'string') note += noteBrowser(userAgent, brandList, headers)
  if (note === '') return userAgent
  return userAgent.slice(0, maxUserAgentLength - note.length) + noteMark + note.slice(1)
}

/** `"https://chatgpt.com"`; in later drafts a dictionary, `sig="https://chatgpt.com"`. */
function noteAgent(signedBy: string): string {
  const [, host = ''] = /"https:\/\/([a-z0-9.-]+)[/"]/i.exec(signedBy) ?? []
  return signedAgents.has(host) ? `;agent=${host}` : ';agent'
}

function noteBrowser(userAgent: string, brandList: string, headers: HintHeaders): string {
  let note = ''
  const [, brand = ''] = brandPattern.exec(brandList) ?? []
  const known = brands.get(brand)
  if (known !== undefined && !userAgent.includes(known.word)) note = `;brand=${brand}`
  const platform = headers['sec-ch-ua-platform']
  const system = typeof platform === 'string' ? platforms.get(platform) : undefined
  if (system !== undefined && !userAgent.includes(system.word)) note += `;os=${system.name}`
  if (headers['sec-ch-ua-mobile'] === '?1' && !userAgent.includes('Mobi')) note += ';mobile'
  return note
}

/** The user agent as it was sent, without a note. */
export function sentUserAgent(text: string): string
export function sentUserAgent(text: string | null): string | null
export function sentUserAgent(text: string | null): string | null {
  const end = text?.indexOf(noteMark) ?? -1
  return end < 0 ? text : (text?.slice(0, end) ?? null)
}

export function readHints(text: string): Hints {
  const at = text.indexOf(noteMark)
  if (at < 0) return {}
  const hints: Hints = {}
  for (const word of text.slice(at + 1).split(';')) {
    const [name, value = ''] = word.split('=', 2)
    if (name === 'app') hints.app = Object.hasOwn(androidApps, value) ? androidApps[value] : undefined
    else if (name === 'brand') readBrand(hints, value)
    else if (name === 'os') hints.os = platforms.get(`"${value}"`)?.name
    else if (name === 'mobile') hints.mobile = true
    else if (name === 'agent') hints.agent = signedAgents.get(value) ?? ''
    else if (name === 'preview') hints.preview = true
  }
  return hints
}

function readBrand(hints: Hints, brand: string): void {
  if (brand === 'HeadlessChrome') hints.headless = true
  else hints.brand = brands.get(brand)?.name
}
