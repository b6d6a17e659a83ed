import { expect, test } from 'vitest'
import { describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const android = (model: string, rest: string) => `Mozilla/5.0 (Linux; Android 14; ${model}) ${webkit} ${rest}`
const webView = (model: string, app: string) =>
  android(
    `${model} Build/UP1A.231005.007; wv`,
    `Version/4.0 Chrome/141.0.7390.97 Mobile Safari/537.36 ${app}`,
  )
const phone = (model: string) => android(model, 'Chrome/141.0.0.0 Mobile Safari/537.36')
const large = (model: string) => android(model, 'Chrome/141.0.0.0 Safari/537.36')
const iPhone = (app: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ${app}`

test.each([
  ['Facebook', webView('SM-A546B', '[FB_IAB/FB4A;FBAV/567.1.0.52.74;]')],
  ['Facebook', webView('SM-A546B', '[FBAN/FB4A;FBAV/567.1.0.52.74;FBBV/1003893689;FBDM/{density=2.8};]')],
  ['Facebook', iPhone('Mobile/15E148 [FBAN/FBIOS;FBAV/530.0.0.41.72;FBBV/7;FBDV/iPhone15,2;FBMD/iPhone]')],
  ['Messenger', iPhone('Mobile/15E148 [FBAN/MessengerForiOS;FBAV/480.0.0.32;FBDV/iPhone15,2]')],
  ['Instagram', iPhone('Mobile/15E148 Instagram 401.0.0.27 (iPhone15,2; iOS 18_7; en_US; scale=3.00)')],
  ['Threads', webView('Pixel 8', 'Barcelona 390.0.0.34.119 Android (34/14)')],
  ['TikTok', webView('Pixel 8', 'musical_ly_2024107030 BytedanceWebview/d8a21c6')],
  ['LINE', iPhone('Mobile/15E148 Safari Line/15.14.0')],
  ['Snapchat', iPhone('Version/18.7 Mobile/15E148 Safari/604.1 Snapchat/13.59.0.42 (like Safari/8621)')],
  ['Snapchat', `${webView('moto g', '').trim()}Snapchat13.40.0.39 (moto g; Android 14#e1b9b#34; gzip; )`],
  ['Perplexity', iPhone('Mobile/15E148 Perplexity/2.251013.0')],
  ['Claude', iPhone('Mobile/15E148 Claude/1.251013.0')],
  ['LinkedIn', iPhone('Mobile/15E148 [LinkedInApp]/9.31.7')],
  ['X', iPhone('Mobile/15E148 Twitter for iPhone/11.30')],
  ['Pinterest', iPhone('Mobile/15E148 [Pinterest/iOS]')],
  ['WeChat', webView('PJE110', 'XWEB/1160117 MMWEBSDK/20240404 MicroMessenger/8.0.49 NetType/WIFI')],
  ['WeChat', webView('PJE110', 'XWEB/116 MicroMessenger/8.0.49 Process/tools NetType/WIFI Language/zh_CN')],
  ['Telegram', webView('Pixel 8', 'Telegram-Android/12.1.1 (Google Pixel 8; Android 14; SDK 34; HIGH)')],
  ['KakaoTalk', webView('SM-S918N', 'KAKAOTALK/11.0.5 (INAPP)')],
  ['Viber', webView('SM-A546B', 'Viber/25.1.0.0')],
  ['WhatsApp', webView('SM-A546B', 'WhatsApp/2.25.30.74')],
  ['Mattermost', webView('SM-A546B', 'Mattermost/2.31.0')],
  ['Tumblr', webView('SM-A546B', 'Tumblr/38.5.0')],
  ['Bluesky', webView('SM-A546B', 'Bluesky/1.110')],
  ['Alipay', webView('PJE110', 'UWS/3.22 UCBS/3.22 NebulaSDK/1.8 AliApp(AP/10.6.60) AlipayClient/10.6.60')],
  ['Google', iPhone('GSA/404.0.856692123 Mobile/15E148 Safari/604.1')],
])('a link opened in the app %s is a visit of a person in that app: %s', (browser, userAgent) => {
  expect(describeUserAgent(userAgent)).toMatchObject({ class: 'human', browser, device: 'mobile', bot: '' })
})

test.each([
  ['Yandex Browser', phone('Pixel 8').replace(' Mobile', ' YaBrowser/25.10.1.80.00 SA/3 Mobile')],
  ['Huawei Browser', phone('NOH-NX9; HMSCore 6.14').replace('Mobile', 'HuaweiBrowser/16.0.6.302 Mobile')],
  ['Quark', phone('V2218A').replace('Mobile', 'Quark/7.14.5.880 Mobile')],
  ['UC Browser', phone('RMX3710').replace('Mobile', 'UCBrowser/13.8.2.1324 Mobile')],
  ['Mi Browser', `${phone('23127PN0CG')} XiaoMi/MiuiBrowser/14.40.0-gn`],
  ['Samsung Internet for Android', phone('SM-S921B').replace('Chrome', 'SamsungBrowser/28.0 Chrome')],
  [
    'NAVER Whale Browser',
    large('X')
      .replace('Linux; Android 14; X', 'Windows NT 10.0; Win64; x64')
      .replace('Safari', 'Whale/4.33.325.17 Safari'),
  ],
  ['QQ Browser', phone('V2218A').replace('Mobile', 'MQQBrowser/15.2 Mobile')],
  ['Sogou Browser', `${phone('V2218A')} SogouMSE,SogouMobileBrowser/5.36.8`],
  ['DuckDuckGo', phone('Pixel 8').replace('Safari', 'DuckDuckGo/5 Safari')],
  ['DuckDuckGo', iPhone('Version/18.7 Mobile/15E148 Safari/604.1 Ddg/18.7')],
  [
    'Vivaldi',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/141.0.0.0 Safari/537.36 Vivaldi/7.6.3797.63`,
  ],
  ['Brave', `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/141.0.0.0 Safari/537.36 Brave/141.1.83`],
  [
    'Opera',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/141.0.0.0 Safari/537.36 OPR/123.0.0.0`,
  ],
  [
    'Microsoft Edge',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`,
  ],
  ['Chrome', iPhone('CriOS/141.0.7390.96 Mobile/15E148 Safari/604.1')],
  ['Firefox', iPhone('FxiOS/143.0 Mobile/15E148 Safari/604.1')],
  ['Safari', iPhone('Version/18.6 Mobile/15E148 Safari/604.1')],
  ['Internet Explorer', 'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko'],
  ['Chromium', `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Ubuntu Chromium/79.0 Chrome/79.0 Safari/537.36`],
  [
    'Oculus Browser',
    large('Quest 3').replace('Chrome/', 'OculusBrowser/36.1.0.11 SamsungBrowser/4.0 Chrome/'),
  ],
  [
    'Sailfish Browser',
    'Mozilla/5.0 (Sailfish 4.5; Mobile; rv:91.0) Gecko/91.0 Firefox/91.0 SailfishBrowser/1.0',
  ],
  ['Firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0 FirePHP/0.7'],
  ['Google', iPhone('GoogleWv/1.0 (WKWebView) OPA/209.0 CoreAssistant/com.google.GoogleMobile')],
  ['Internet Explorer', 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; FunWebProducts)'],
  ['Snapchat', webView('CUBOT_NOTE_S', 'Snapchat/13.59.0.42 (CUBOT_NOTE_S; Android 14#1; gzip)')],
  ['Other', 'Mozilla/5.0 (PlayStation 4 12.02)'],
])('the browser is %s: %s', (browser, userAgent) => {
  expect(describeUserAgent(userAgent)).toMatchObject({ class: 'human', browser })
})

test.each([
  ['Windows', 'desktop', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0'],
  [
    'macOS',
    'desktop',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  ],
  [
    'Chrome OS',
    'desktop',
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/141.0.0.0 Safari/537.36`,
  ],
  ['Chrome OS', 'desktop', large('Acer Chromebook 314')],
  ['FreeBSD', 'desktop', 'Mozilla/5.0 (X11; FreeBSD amd64; rv:143.0) Gecko/20100101 Firefox/143.0'],
  [
    'iOS',
    'tablet',
    'Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
  ],
  ['Android', 'tablet', large('SM-X710')],
  ['Android', 'tablet', phone('SM-T505')],
  ['Android', 'tablet', phone('Lenovo TB-J606F')],
  ['Android', 'tablet', large('HiPad X')],
  ['Android', 'mobile', phone('InFocus M535')],
  ['Android', 'mobile', phone('Phantom6')],
  ['Android', 'mobile', phone('TECNO BB2')],
  ['Android', 'mobile', phone('BlackBerry BBF100-1')],
  ['KaiOS', 'mobile', 'Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5'],
  [
    'Linux',
    'desktop',
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 LibreWolf/140.0',
  ],
  [
    'HarmonyOS',
    'mobile',
    `Mozilla/5.0 (Phone; OpenHarmony 6.0) ${webkit} Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0.0.47 Mobile`,
  ],
  [
    'HarmonyOS',
    'tablet',
    `Mozilla/5.0 (Tablet; OpenHarmony 5.1) ${webkit} Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0.0.47`,
  ],
  [
    'HarmonyOS',
    'desktop',
    `Mozilla/5.0 (PC; OpenHarmony 5.1) ${webkit} Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0.0.47`,
  ],
  ['Firefox OS', 'mobile', 'Mozilla/5.0 (Mobile; rv:26.0) Gecko/26.0 Firefox/26.0'],
  ['Android', 'car', large('Polestar 2')],
  ['Android', 'tablet', phone('TCL 9296G')],
  ['Android', 'tablet', phone('DOOGEE T20')],
  ['Android', 'tv', large('TPM191E')],
  ['Android', 'tv', large('AQUOS 4T-C50')],
  ['Android', 'tv', large('BRAVIA 4K VH2')],
  ['Android', 'tv', large('55U7KQ Android TV')],
  ['Android', 'tv', large('50HX8800 Build/PTT1.190515.001')],
  ['Android', 'tv', large('Chromecast Build/STTE.240315.002')],
  ['Fire OS', 'tv', large('AFTSSS').replace('Chrome/', 'Silk/120.4 like Chrome/')],
  [
    'webOS',
    'tv',
    `Mozilla/5.0 (Web0S; Linux/SmartTV) ${webkit} Chrome/108.0.5359.211 Safari/537.36 WebAppManager`,
  ],
  ['Tizen', 'tv', `Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) ${webkit} 120.0.6099.5/8.0 TV Safari/537.36`],
  [
    'Linux',
    'tv',
    'Opera/9.80 (Linux armv7l; HbbTV/1.2.1 (; Philips; 40PFH5500; ; ; ) CE-HTML/1.0; en) Presto/2.12.407 Version/12.51',
  ],
  [
    'PlayStation',
    'console',
    'Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15',
  ],
  [
    'Xbox',
    'console',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) ${webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`,
  ],
  [
    'Nintendo',
    'console',
    'Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.2 NintendoBrowser/5.1.0',
  ],
  ['Android', 'watch', phone('SAMSUNG SM-R930').replace('Chrome', 'SamsungBrowser/4.0 Chrome')],
  ['Linux', 'car', `Mozilla/5.0 (X11; GNU/Linux) ${webkit} Chrome/136.0.0.0 Safari/537.36 Tesla/2025.32.3`],
])('the system is %s, the device %s: %s', (os, device, userAgent) => {
  expect(describeUserAgent(userAgent)).toMatchObject({ class: 'human', os, device })
})

test.each([
  ['M bot 51'],
  ['C Bot Tab 70'],
  ['CUBOT KINGKONG'],
  ['Spider 8'],
  ['Discovery II'],
  ['Google TV'],
  ['OK Google TV'],
  ['Nexus 5X'],
  ['Scanner X'],
  ['Radar Deluxe 2'],
  ['Fetch 3'],
])('the owner of a device called %s is a person', model => {
  expect(describeUserAgent(phone(model)).class).toBe('human')
  expect(
    describeUserAgent(
      `Mozilla/5.0 (Linux; U; Android 4.2.2; ar-il; ${model} Build/JDQ39) ${webkit} Version/4.0 Safari/534.30`,
    ).class,
  ).toBe('human')
})

test('whoever has a toolbar of Google is a person', () => {
  const userAgent =
    'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; GoogleT5; .NET CLR 2.0.50727)'
  expect(describeUserAgent(userAgent)).toMatchObject({ class: 'human', browser: 'Internet Explorer' })
})
