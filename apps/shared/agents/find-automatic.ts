/** Whether a program sent a user agent, not a person's browser. */
import { isbot } from 'isbot'
import { wordFinder } from './named-words.ts'

/** Programs that isbot takes for people. */
const findProgram = wordFinder([
  [
    'program',
    'powershell',
    ' dart/',
    'jsdom',
    'wkhtmlto',
    'siteimprove',
    'con_aff/',
    // A template that nobody filled in
    '; {}',
    'compatible; google',
    'gtmetrix',
    ' dalvik/',
    'assetnote',
    '360jk',
    'fluid/0',
    'trae/',
    'miniature.io',
    'ylt chrome',
    'turingos',
    'watchagent',
    // Mail scanners that send a browser's user agent with their name in it
    'barracuda',
    'mimecast',
    'proofpoint',
    'cloudmark',
    // Network stacks without a page
    'networkingextension/',
    ' cronet/',
    'hackney',
    // The place where Google's crawlers name themselves, and others after them
    'like gecko; compatible;',
  ],
])

/** What no person's browser says, be it in an app or on a television. */
const certain =
  /bots?\b|bot[/_-]|crawl|spider|https?:|headless|externalhit|preview|lighthouse|phantomjs|selenium|puppeteer|playwright|monitor|scan(?:ner|bot|\/)|python|curl\/|\bjava\/|wget|fetcher/

/** Behind what a browser sends: a program that names itself. Browsers say `compatible` in front, if at all. */
const behindBrowser = /safari\/[\d.]+ \(compatible;/

/** The model of a device, which its owner did not name: `Spider 8`, `M bot 51`, `Discovery`, `Google TV`. */
const model =
  /(andr[o0]id[ \d.]*;(?: ?u;)?(?: ?[a-z]{2}[-_][a-z]{2,4};)?)(?![^;)]*(?:bot\/|compatible|http))[^;)]*/

/** Words that isbot takes for a program's, of people's browsers. */
const harmless =
  /google ?tv|google earth|google ?plus|googlet5|process\/tools|proxyless|cubot|firephp|qqdownload|java\/asvm|(?:ce-html|bada|rex|webos|pre|pixi)\/1\.0/g

/** `text` in lower case, behind a blank. `named`: the browser is one that programs hardly ever claim to be. */
export function isAutomatic(text: string, named: boolean): boolean {
  if (findProgram(text) !== undefined || behindBrowser.test(text)) return true
  // Safari itself names the stack where it loads icons and previews (`MobileSafari/8621.2 CFNetwork/3826`).
  if (text.includes('cfnetwork') && !/^ mozilla\/.*safari\//.test(text)) return true
  const withoutModel = text.replace(model, '$1').replace(harmless, ' ')
  return named ? certain.test(withoutModel) : isbot(withoutModel.trim())
}
