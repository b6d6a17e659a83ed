/** Kinds of devices that are no phone, by their platform's words or their maker's naming scheme. */
import { expect, test } from 'vitest'
import { describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const android = (model: string, rest: string) => `Mozilla/5.0 (Linux; Android 11; ${model}) ${webkit} ${rest}`
const large = (model: string) => android(model, 'Chrome/141.0.0.0 Safari/537.36')
const phone = (model: string) => android(model, 'Chrome/141.0.0.0 Mobile Safari/537.36')

test.each([
  [
    'YouTube',
    'Mozilla/5.0 (Linux armv7l) Cobalt/25.lts.1 (unlike Gecko) Starboard/15, Maker_ATV_chip_2025/1 (Maker, X1, Wired)',
  ],
  ['WPE', 'Mozilla/5.0 (Linux) AppleWebKit/605.1 (KHTML, like Gecko) Version/16.0 Safari/605.1 WPE'],
  ['KreaTV', 'Opera/9.80 (Linux mips) Presto/2.12.407 Version/12.50 , KreaTV/16.1 (Maker, VMS1, wired)'],
  ['SmartHub', 'Mozilla/5.0 (SmartHub; U; Linux) AppleWebKit/538.1 (KHTML, like Gecko) Safari/538.1'],
  ['Firefox OS', 'Mozilla/5.0 (TV; rv:44.0) Gecko/44.0 Firefox/44.0'],
  ['Yandex', android('NEW-001; wv', 'Version/4.0 Chrome/113.0.0.0 YaBrowser/24.1.2.86 (lite) Safari/537.36')],
  ['its size first', phone('43XY9')],
  ['its size first', large('55XT-UD')],
  ['its size behind the maker', large('ABC-43QRS')],
  ['its size inside', large('Q40SLED-A1')],
  ['its size inside, on a phone-like page', phone('H32F8000Q')],
  ['4K', large('AB4K_PRO')],
  ['UHD', large('Something UHD')],
  ['HDR', large('NEWHDR_1')],
  ['a box', large('MBox9')],
  ['a stick', large('SuperStick')],
  [
    'a build for televisions',
    android('NEW Build/RTM9.250101.001; wv', 'Chrome/141.0.0.0 Mobile Safari/537.36'),
  ],
  ['a reference build', android('NEW Build/RP1A.200720.011; wv', 'Chrome/141.0.0.0 Safari/537.36')],
  ['a board', large('Hi3798MV310')],
  ['an operator', large('B866V2')],
  ['a box', large('Magicsee N5')],
])('a television is told by %s: %s', (_how, userAgent) => {
  expect(describeUserAgent(userAgent)).toMatchObject({ class: 'human', device: 'tv' })
})

test.each([
  ['tablet', 'Fire OS', large('KFTRWI').replace('; KFTRWI', '; KFTRWI Build/1; AmazonWebAppPlatform/3.4')],
  [
    'tablet',
    'Fire OS',
    `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Silk/120.4.1 like Chrome/120.0.0.0 Safari/537.36`,
  ],
  ['tablet', 'Android', phone('Lenovo A7600-H')],
  ['tablet', 'Android', phone('AGS2-AL00')],
  ['tablet', 'Android', large('BTV-W09')],
  ['tablet', 'Android', large('B3-A40FHD')],
  [
    'tablet',
    'Android',
    `Mozilla/5.0 (Linux; Android 5.0; X98 Air III(M5C5) Build/LRX21V) ${webkit} Safari/537.36`,
  ],
  ['tablet', 'Android', phone('RMP2204')],
  ['tablet', 'Android', phone('Nokia T20')],
  ['tablet', 'Android', phone('23073RPBFG')],
  ['tablet', 'Firefox OS', 'Mozilla/5.0 (Tablet; rv:26.0) Gecko/26.0 Firefox/26.0'],
  ['tablet', 'Android', phone('NEW 10 WiFi')],
  ['mobile', 'Firefox OS', 'Mozilla/5.0 (Mobile; rv:26.0) Gecko/26.0 Firefox/26.0'],
  ['mobile', 'Sailfish', `Mozilla/5.0 (Linux; Sailfish OS) ${webkit} Chrome/63.0.3239.111 Safari/537.36`],
  [
    'mobile',
    'webOS',
    'Mozilla/5.0 (webOS/1.0; U; en-US) AppleWebKit/525.27.1 (KHTML, like Gecko) Safari/525.27.1 Pre/1.0',
  ],
  ['mobile', 'Android', phone('K50a40')],
  ['mobile', 'Android', phone('AB4K_PRO')],
  ['mobile', 'Android', `${phone('Pixel 8')} PlayStation App/25.1.0/en-GB/en-GB`],
  ['mobile', 'Android', android('NEW Build/RP1A.200720.011; wv', 'Chrome/141.0.0.0 Mobile Safari/537.36')],
  [
    'mobile',
    'Android',
    android('Pixel 5a Build/RD2A.211001.002; wv', 'Chrome/141.0.0.0 Mobile Safari/537.36'),
  ],
  ['mobile', 'Android', phone('HTC One M8s')],
  ['mobile', 'Android', phone('SM-S908B')],
  ['console', 'Android', phone('RG556')],
  [
    'console',
    'PlayStation',
    'Mozilla/5.0 (PlayStation Vita 3.74) AppleWebKit/537.73 (KHTML, like Gecko) Silk/3.2',
  ],
  ['watch', 'Android', phone('Google Pixel Watch')],
  ['desktop', 'Linux', `Mozilla/5.0 (X11; Linux i686 (x86_64)) ${webkit} Chrome/39.0.2171.95 Safari/537.36`],
  [
    'desktop',
    'Windows',
    `Mozilla/5.0 (Windows NT 6.1) ${webkit} Chrome/21.0 Safari/537.1 AvantBrowser/Tri-Core`,
  ],
])('it is a %s with %s: %s', (device, os, userAgent) => {
  expect(describeUserAgent(userAgent)).toMatchObject({ class: 'human', device, os })
})
