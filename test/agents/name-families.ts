/**
 * Sources name the same browser, system and kind of device differently. A family is one of our names; what a source
 * calls otherwise is listed here with it, and a name that is in no list is a family of its own. Engines without an app's
 * name ("Chrome Webview") belong to their browser, and names that only exist in one source (a make of Android) to what
 * they are made from.
 */

const browserFamilies: Record<string, readonly string[]> = {
  Chrome: [
    'Chrome Mobile',
    'Mobile Chrome',
    'Chrome Webview',
    'Chrome WebView',
    'Chrome Mobile iOS',
    'Mobile Chrome iOS',
  ],
  Safari: ['Mobile Safari', 'Mobile Safari UI/WKWebView', 'Apple Mail', 'WebKit'],
  Firefox: ['Firefox Mobile', 'Mobile Firefox', 'Firefox iOS', 'Firefox Reality'],
  'Microsoft Edge': ['Edge', 'Edge Mobile', 'Mobile Edge', 'Microsoft Edge Mobile'],
  'Internet Explorer': ['IE', 'IE Mobile', 'IEMobile', 'AOL Explorer'],
  Opera: ['Opera Mobile', 'Opera Touch', 'Opera GX', 'Opera Devices', 'Opera TV', 'Opera Mini'],
  'Samsung Internet for Android': ['Samsung Browser', 'Samsung Internet'],
  'Yandex Browser': ['Yandex', 'Yandex Browser Lite'],
  'Huawei Browser': ['Huawei Browser Mobile'],
  'UC Browser': ['UCBrowser', 'UC Browser Mini', 'UC Browser Turbo'],
  DuckDuckGo: ['DuckDuckGo Mobile', 'DuckDuckGo Privacy Browser'],
  'Amazon Silk': ['Silk', 'Mobile Silk'],
  X: ['Twitter'],
  'Sogou Browser': ['Sogou Mobile Browser', 'Sogou Explorer'],
  'HeyTap Browser': ['HeyTapBrowser'],
  'OPPO Browser': ['Oppo Browser'],
  'Mi Browser': ['MIUI Browser'],
  'QQ Browser': ['QQ Browser Lite', 'QQ Browser Mini'],
  '360 Browser': ['360 Phone Browser', '360 Secure Browser'],
  'NAVER Whale Browser': ['Whale Browser', 'Whale'],
  Qwant: ['Qwant Mobile'],
  Puffin: ['Puffin Web Browser'],
  Openwave: ['Openwave Mobile Browser'],
  MAUI: ['MAUI WAP Browser'],
  Palm: ['Palm Blazer', 'Palm WebPro', 'Palmscape'],
  BlackBerry: ['BlackBerry Browser'],
  'Nokia Browser': ['Nokia OSS Browser'],
  NetFront: ['NetFront Life'],
  Espial: ['Espial TV Browser'],
  SRAF: ['Seraphic Sraf'],
  Surf: ['Surf Browser'],
  'Comodo Dragon': ['IceDragon'],
}

const systemFamilies: Record<string, readonly string[]> = {
  Android: [
    'Android TV',
    'Fire OS',
    'Wear OS',
    'CyanogenMod',
    'Lineage OS',
    'HyperOS',
    'MocorDroid',
    'Remix OS',
  ],
  iOS: ['iPadOS'],
  macOS: ['Mac', 'Mac OS X', 'OS X'],
  Windows: ['Windows RT'],
  // Presto's televisions, and the distributions
  Linux: ['GNU/Linux', 'Ubuntu', 'Fedora', 'Slackware', 'Arch Linux', 'Debian', 'Opera TV'],
  BlackBerry: ['BlackBerry OS'],
  'Palm OS': ['palmOS'],
  Symbian: ['Symbian^3', 'Symbian OS', 'Symbian OS Series 60'],
  'Chrome OS': ['ChromeOS', 'Chromium OS'],
}

const deviceFamilies: Record<string, readonly string[]> = {
  mobile: ['smartphone', 'phablet', 'feature phone', 'portable media player'],
  tv: ['television', 'smarttv'],
  speaker: ['smart speaker'],
  watch: ['wearable'],
  car: ['car browser'],
}

/** What sources call a kind of device and Hopcount does not: cash registers, cameras, signs in shops. */
export const unscoredDevices: ReadonlySet<string> = new Set([
  'peripheral',
  'camera',
  'smart display',
  'device',
])

export const browserFamily = familyFinder(browserFamilies)
export const systemFamily = familyFinder(systemFamilies)
export const deviceFamily = familyFinder(deviceFamilies)

function familyFinder(families: Record<string, readonly string[]>): (name: string) => string {
  const familyOf = new Map(
    Object.entries(families).flatMap(([family, names]) => names.map(name => [name, family] as const)),
  )
  return name => familyOf.get(name) ?? name
}
